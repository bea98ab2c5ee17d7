package lifecycle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/autostart"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

// LogName is the daemon's log in LogDir. StderrName is the daemon's standard error,
// which has the stack traces of a crash.
const (
	LogName    = filename.DaemonLog
	StderrName = filename.DaemonStderr
)

// How often the daemon is probed while it starts or stops, and how long one probe
// can take.
const (
	pollEvery    = 15 * time.Millisecond
	probeTimeout = 2 * time.Second
)

// Engine stops the engine of an instance without a daemon.
type Engine interface {
	// Stop stops an engine that was left running, if there is one.
	Stop(ctx context.Context) error
	// Delete stops the engine and removes everything that it created.
	Delete(ctx context.Context) error
	// Runs reports whether anything of the engine runs.
	Runs(ctx context.Context) (bool, error)
}

// Manager starts and stops the daemon of one instance.
type Manager struct {
	Instance instance.Instance
	// Prepare creates certificates, tokens and the kubeconfig. It is idempotent.
	Prepare func(instance.Instance) error
	// Renew replaces credentials that a reset does not keep; nil keeps all.
	Renew func(instance.Instance) error
	// Engine stops the engine when no daemon runs.
	Engine Engine
	// Command returns the command that serves the instance in the foreground.
	Command func(instance.Args) *exec.Cmd
	// Report gets the progress for users. A text can be repeated.
	Report func(string)

	// These default to the constants of the same names.
	probeTimeout, termGrace, orphanGrace time.Duration
}

// State of a daemon.
type State string

// The states of a daemon.
const (
	StateStopped  State = "stopped"
	StateStarting State = "starting"
	StateRunning  State = "running"
	// StateHung: the process exists and does not answer.
	StateHung State = "hung"
)

// Status is the state of a daemon.
type Status struct {
	Instance string `json:"instance"`
	State    State  `json:"state"`
	PID      int    `json:"pid,omitempty"`
	// Version of the daemon, which it reports itself.
	Version string `json:"version,omitempty"`
	// Crashed is the pid of the last daemon, if no daemon runs and the last one did not
	// end by itself: it crashed, it was killed, or the machine was restarted.
	Crashed int `json:"crashedPID,omitempty"`
	// Since is when the daemon was started.
	Since time.Time `json:"since,omitzero"`
	// Server is the URL of the API server.
	Server string `json:"server,omitempty"`
	// Doing is what another command is doing that holds the instance's lock.
	Doing string `json:"doing,omitempty"`
	// Environment has the saved variables as NAME=VALUE, without passwords.
	Environment []string `json:"environment,omitempty"`
	// Autostart is what starts the daemon at login. Manager.Status leaves it out.
	Autostart *autostart.State `json:"autostart,omitempty"`
	// Error is the reason why the API server does not answer.
	Error string `json:"error,omitempty"`
}

// startGrace is how long a daemon that refuses connections counts as starting.
const startGrace = time.Minute

// Status returns the state of the daemon. It returns when ctx ends.
func (m *Manager) Status(ctx context.Context) (Status, error) {
	status := Status{Instance: m.Instance.Name, State: StateStopped}
	pid, running, err := instance.Running(m.Instance.PidFile)
	if err != nil {
		return status, err
	}
	if !running {
		status.Crashed = m.crashed()
		return status, nil
	}
	run := m.Instance.LoadRun(pid)
	if run.Doing != "" {
		status.Doing = fmt.Sprintf("another command (pid %d) is %s", pid, run.Doing)
		return status, nil
	}
	status.State, status.PID, status.Version, status.Since = StateRunning, pid, run.Version, run.Started
	c, err := client.New(m.Instance)
	if err == nil {
		status.Server = c.Host()
		err = c.Ready(ctx)
	}
	if err == nil {
		// A daemon that does not report its version saved it when it started.
		version, _ := c.Version(ctx)
		status.Version = cmp.Or(version, run.Version)
	}
	if err != nil {
		status.Error = err.Error()
		status.State = StateStarting
		// A daemon that accepts a connection without answering is past its start.
		if errors.Is(err, context.DeadlineExceeded) || time.Since(run.Started) > startGrace {
			status.State = StateHung
		}
	}
	return status, nil
}

// crashed returns the pid in the pid file, which a daemon removes at its end; 0 if there
// is none.
func (m *Manager) crashed() int {
	text, err := os.ReadFile(m.Instance.PidFile)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0
	}
	return pid
}

// Create creates the instance's directories and what the daemon needs in them.
func (m *Manager) Create() error {
	if err := m.Instance.Create(); err != nil {
		return err
	}
	if err := m.Prepare(m.Instance); err != nil {
		return fmt.Errorf("prepare instance %q: %w", m.Instance.Name, err)
	}
	return nil
}

// Log returns the path of the daemon's log.
func (m *Manager) Log() string { return filepath.Join(m.Instance.LogDir, LogName) }

// stderr opens the file for the daemon's standard error. It returns the file's
// size, which is where new output begins.
func (m *Manager) stderr() (*os.File, int64, error) {
	path := filepath.Join(m.Instance.LogDir, StderrName)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, 0, fmt.Errorf("open the daemon's error output: %w", err)
	}
	const enough = 1 << 20
	info, err := f.Stat()
	if err == nil && info.Size() > enough {
		if err = f.Truncate(0); err == nil {
			info, err = f.Stat()
		}
	}
	if err != nil {
		f.Close()
		return nil, 0, fmt.Errorf("inspect the daemon's error output %s: %w", path, err)
	}
	return f, info.Size(), nil
}

// gone waits until no process holds the instance's lock. It reports whether that
// happened before ctx ended.
func (m *Manager) gone(ctx context.Context) (bool, error) {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		_, running, err := instance.Running(m.Instance.PidFile)
		if err != nil || !running {
			return true, err
		}
		select {
		case <-ctx.Done():
			return false, nil
		case <-ticker.C:
		}
	}
}
