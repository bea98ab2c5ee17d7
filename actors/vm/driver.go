package vm

import (
	"context"
	"errors"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// Presence is how much of an engine runs on this machine.
type Presence string

// The presences.
const (
	// Absent: nothing of the engine runs.
	Absent Presence = "Absent"
	// Broken: the engine's process has ended, but other processes of it still run,
	// such as the shims of its containers. Start recovers them, Stop ends them.
	Broken Presence = "Broken"
	// Present: the engine's process runs, and belongs to the driver. Ping checks
	// whether it answers.
	Present Presence = "Present"
)

// Observed is the result of an inspection.
type Observed struct {
	Presence Presence
	// Spec is the spec that the engine was started with, as far as the driver knows
	// it: at least Engine, and all that decides whether the engine satisfies another
	// spec. Driver is ignored, and all of Spec if the engine is Absent.
	Spec messages.VMSpec
	// Used is when the engine last used its data (images, containers, volumes). It is
	// zero if the driver has no data. An engine that is Absent can have data.
	Used time.Time
	// Detail describes the engine for logs and users, such as "dockerd, pid 123".
	Detail string
}

// ErrEndpointGone is wrapped by the error of Ping if the engine runs, but its endpoint
// is gone, such as a socket file that was removed. A retry does not help.
var ErrEndpointGone = errors.New("the engine's endpoint is gone")

// NoLimit is the limit of a stop when a container has an infinite stop timeout.
const NoLimit time.Duration = -1

// Driver starts and stops one kind of engine. A driver has at most one engine at any
// time.
//
// A Driver has no state in memory. All that it needs to find its engine is on disk,
// or can be inspected, so that a new Driver in a new process continues where a killed
// one stopped.
//
// All methods can be called at any time, in any order, from any goroutine, except
// that the caller must keep Start, Repair, Stop and Delete from overlapping; see
// Serial. Every method returns soon after its context ends, with an error that wraps
// the context's. Errors are for users: they say what failed and, if known, what to do
// next.
type Driver interface {
	// Name returns the name of the driver, never auto.
	Name() appv1.DriverName

	// Managed reports whether rdd owns the engine. Stop and Delete of a driver that
	// is not managed do nothing, and its Inspect always returns Absent.
	Managed() bool

	// Available returns the reason why the driver can be used here, such as "dockerd
	// 20.10.24 found at /usr/sbin/dockerd". Its error says why the driver cannot be
	// used, and what to install or to set. It checks as much of spec as possible, such
	// as a file, since a running engine is stopped for another spec only after
	// Available has succeeded. It changes nothing.
	Available(ctx context.Context, spec messages.VMSpec) (reason string, err error)

	// Inspect finds the driver's engine. It never returns a process with a recycled
	// pid, a zombie, or an engine of another user. It changes nothing.
	Inspect(ctx context.Context) (Observed, error)

	// Start returns when the engine answers at endpoint. If the engine satisfies
	// spec, Start adopts a Present one and recovers a Broken one. Otherwise it
	// returns an error, because that engine must be stopped first. progress gets the
	// phases; it can be called from any goroutine until Start returns.
	//
	// The engine is not tied to ctx or to this process. If an adopted engine answered
	// in the past and does not answer now, Start can return it after some seconds;
	// then Ping returns the trouble. After an error, also when ctx ends, the engine has
	// ended, or can be adopted by another Start and stopped by Stop.
	Start(ctx context.Context, spec messages.VMSpec, progress func(string)) (endpoint string, err error)

	// StartWithin returns the limit of Start for spec. After that time Start returns
	// an error with the phase. The caller's deadline must be later.
	StartWithin(spec messages.VMSpec) time.Duration

	// Wait returns when the engine has ended. Its error says how, with the last lines
	// of the log. It returns at once if no engine runs. A driver without a process
	// blocks until ctx ends.
	Wait(ctx context.Context) error

	// Repair restores the endpoint of an engine whose Ping returns ErrEndpointGone,
	// and keeps its containers running: it ends the engine's process, so that Wait
	// returns and another Start recovers the containers. An error says why that is
	// not possible, and what the user can do; then the engine is unchanged. The caller
	// retries unless the error is Permanent.
	Repair(ctx context.Context) error

	// Ping checks whether the engine at endpoint answers. note is what a user should
	// know about an engine that answers but has trouble, such as a full disk. It is
	// empty if there is none, and stays the same while the trouble does.
	Ping(ctx context.Context, endpoint string) (note string, err error)

	// Stop stops the engine, gracefully first, then by force. It returns when all
	// processes of the engine have ended, with its containers. Data is kept. Stop
	// returns no error if no engine runs.
	//
	// Each container gets its stop signal once, and its own stop timeout, however
	// often Stop is called, also by other Driver values: a later call joins the stop
	// in progress. progress gets what the stop is waiting for; it can be called from
	// any goroutine until Stop returns. note is what a user should know about a
	// successful stop, such as that force was needed.
	Stop(ctx context.Context, progress func(string)) (note string, err error)

	// StopWithin returns the limit of Stop for the engine as it runs now, or NoLimit.
	// The caller's deadline must be later.
	StopWithin() time.Duration

	// Delete stops the engine and removes everything that the driver created: data,
	// sockets, mounts, network interfaces, firewall rules, files. Its error names
	// what could not be removed. It is idempotent.
	Delete(ctx context.Context) error
}
