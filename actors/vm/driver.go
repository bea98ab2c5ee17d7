package vm

import (
	"context"
	"errors"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// Presence is how much of an engine there is on this machine.
type Presence string

// The presences.
const (
	// Absent: nothing of the engine runs.
	Absent Presence = "Absent"
	// Broken: the engine itself is gone, but processes of it (such as the shims
	// of its containers) live on. Start recovers them, Stop ends them.
	Broken Presence = "Broken"
	// Present: the engine's process is alive and really is the driver's.
	// Whether it answers is for Ping to say.
	Present Presence = "Present"
)

// Observed is what a driver finds by looking, not by remembering.
type Observed struct {
	Presence Presence
	// Spec that the engine was brought up from, as far as the driver knows,
	// unless Absent: Engine at least, and all that decides whether the engine is
	// the one that another spec asks for. Its Driver is not looked at.
	Spec messages.VMSpec
	// Used is when the data of the engine (images, containers, volumes) was last
	// put to use; zero when the driver has none. It counts when Absent too.
	Used time.Time
	// Detail for a log or a user, such as "dockerd, pid 123".
	Detail string
}

// ErrEndpointGone is wrapped by the error of Ping for an engine that is alive behind
// an endpoint that is gone, such as a socket file that was removed. Asking again
// does not help.
var ErrEndpointGone = errors.New("the engine's endpoint is gone")

// NoLimit is how long a stop takes when a container has no stop timeout: until that
// container ends.
const NoLimit time.Duration = -1

// Driver brings one kind of engine up and down. There is at most one engine of
// a driver at any time.
//
// A Driver keeps no state in memory: all that it must know to find its engine
// again is on disk or follows from checked facts, so that a new Driver value in
// a new process continues where a killed one left off.
//
// All methods may be called at any time, in any order, from any goroutine, but
// the caller sees to it that Start, Stop and Delete do not overlap (Serial). Every
// method returns soon after its context ends, with an error that wraps the
// context's. Errors are for users: they name what was done and, where known,
// what to do next.
type Driver interface {
	// Name of the driver, never auto.
	Name() appv1.DriverName

	// Managed is whether rdd owns the engine. Stop and Delete of a driver that
	// is not managed never touch the engine, and Inspect always finds it Absent.
	Managed() bool

	// Available says why the driver can work here, such as "dockerd 20.10.24
	// found at /usr/sbin/dockerd", or, as an error, why it cannot and what to
	// install or to set. It looks at all of spec that can be judged beforehand,
	// such as a file that spec names: a running engine is stopped for another
	// spec only after Available has agreed to that. It changes nothing.
	Available(ctx context.Context, spec messages.VMSpec) (reason string, err error)

	// Inspect looks for the driver's engine. A process with a recycled pid, a
	// zombie, or somebody else's engine is never taken for it. It changes nothing.
	Inspect(ctx context.Context) (Observed, error)

	// Start returns when the engine answers at endpoint. An engine that is
	// Present is adopted and a Broken one is recovered, if it is the engine that
	// spec names; another one must be stopped first and is an error. progress is
	// told the phases; it may be called from any goroutine until Start returns.
	// The engine is not tied to ctx, nor to this process. One that is adopted and
	// answered once, but does not now, may be returned after some seconds all the
	// same: Ping tells what is wrong with it. After an error, the end of ctx included, the engine is either
	// gone or can be adopted by another Start and stopped by Stop.
	Start(ctx context.Context, spec messages.VMSpec, progress func(string)) (endpoint string, err error)

	// StartWithin is the longest that Start takes for spec before it gives up by
	// itself, with an error that says at what it was. A caller's own deadline
	// must lie above it.
	StartWithin(spec messages.VMSpec) time.Duration

	// Wait returns when the engine that Start brought up is gone, with an error
	// that says how it ended and ends with its last log lines. It returns at once
	// when nothing runs. A driver with no process to watch blocks until ctx ends.
	Wait(ctx context.Context) error

	// Repair makes an engine reachable whose Ping returns ErrEndpointGone, without
	// ending its containers: it ends the engine's process, so that Wait returns and
	// another Start takes its containers over. An error says why that cannot be
	// done, and what the user can do; the engine is as it was then.
	Repair(ctx context.Context) error

	// Ping asks the engine at endpoint whether it answers. note is what a user
	// should know about one that does and is in trouble all the same, such as a
	// disk that is full; it is empty when nothing is wrong, and it does not change
	// from one ping to the next while the trouble is the same.
	Ping(ctx context.Context, endpoint string) (note string, err error)

	// Stop returns when every process of the engine is gone, containers
	// included: gracefully first, then by force. Data stays. Stopping what does
	// not run is no error. Each container gets its stop signal once and its own stop
	// timeout, however often Stop is called for the same engine, and by whichever
	// Driver value: a later call waits for the stop under way. progress is sent
	// what the stop waits for; it may be called from any goroutine until Stop
	// returns. note is what a user should know about a stop that worked, such as
	// that force was needed.
	Stop(ctx context.Context, progress func(string)) (note string, err error)

	// StopWithin is the longest that Stop takes for what runs now before it gives
	// up by itself, or NoLimit. A caller's own deadline must lie above it.
	StopWithin() time.Duration

	// Delete stops the engine and removes all that the driver ever made: data,
	// sockets, mounts, network interfaces, firewall rules, files. What it could
	// not remove is in the error; deleting again is no error.
	Delete(ctx context.Context) error
}
