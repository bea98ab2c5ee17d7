package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

// LogName is the daemon's log in LogDir. StderrName is what the runtime writes
// when the daemon crashes, which no logger can catch.
const (
	LogName    = "rdd.log"
	StderrName = "rdd.stderr.log"
)

// How often the daemon is looked at while it starts or ends, and how long one
// look may take.
const (
	pollEvery    = 15 * time.Millisecond
	probeTimeout = 2 * time.Second
)

// Engine ends the engine of an instance without a daemon.
type Engine interface {
	// Stop stops an engine that was left running; none runs: nothing.
	Stop(ctx context.Context) error
	// Delete stops it and removes all that it ever made.
	Delete(ctx context.Context) error
}

// Manager starts and ends the daemon of one instance.
type Manager struct {
	Instance instance.Instance
	// Prepare makes what the daemon needs besides its directories: certificates,
	// tokens, the kubeconfig. It may be called again at any time.
	Prepare func(instance.Instance) error
	// Engine without a daemon.
	Engine Engine
	// Command returns the command that serves the instance in the foreground.
	Command func(instance.Args) *exec.Cmd
	// Report is told what is being waited for; the same text may come again.
	Report func(string)

	// These are the constants of the same names when zero.
	probeTimeout, termGrace, orphanGrace time.Duration
}

// State of a daemon.
type State string

// The states of a daemon.
const (
	StateStopped  State = "stopped"
	StateStarting State = "starting"
	StateRunning  State = "running"
	// StateHung: the process is there and does not answer.
	StateHung State = "hung"
)

// Status is what can be learned of a daemon from outside.
type Status struct {
	Instance string `json:"instance"`
	State    State  `json:"state"`
	PID      int    `json:"pid,omitempty"`
	Version  string `json:"version,omitempty"`
	// Since is when the daemon was started.
	Since time.Time `json:"since,omitzero"`
	// Server is the URL of the API server.
	Server string `json:"server,omitempty"`
	// Doing is what a command does that keeps daemons away meanwhile.
	Doing string `json:"doing,omitempty"`
	// Environment that is kept for each start, as NAME=VALUE, without passwords.
	Environment []string `json:"environment,omitempty"`
	// Error says why the API server does not answer.
	Error string `json:"error,omitempty"`
}

// startGrace is how long a daemon that refuses connections is taken for one that starts.
const startGrace = time.Minute

// Status looks at the daemon; it takes no longer than ctx allows.
func (m *Manager) Status(ctx context.Context) (Status, error) {
	status := Status{Instance: m.Instance.Name, State: StateStopped}
	pid, running, err := instance.Running(m.Instance.PidFile)
	if err != nil || !running {
		return status, err
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
	if err != nil {
		status.Error = err.Error()
		status.State = StateStarting
		// One that takes a connection and then is silent has started before.
		if errors.Is(err, context.DeadlineExceeded) || time.Since(run.Started) > startGrace {
			status.State = StateHung
		}
	}
	return status, nil
}

// Create makes the instance's directories and what the daemon needs in them.
func (m *Manager) Create() error {
	if err := m.Instance.Create(); err != nil {
		return err
	}
	if err := m.Prepare(m.Instance); err != nil {
		return fmt.Errorf("prepare instance %q: %w", m.Instance.Name, err)
	}
	return nil
}

// Log is the path of the daemon's log.
func (m *Manager) Log() string { return filepath.Join(m.Instance.LogDir, LogName) }

// stderr opens the file that catches what the daemon's runtime writes, and says
// where the new part of it begins.
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
		return nil, 0, fmt.Errorf("look at the daemon's error output %s: %w", path, err)
	}
	return f, info.Size(), nil
}

// gone waits until no daemon holds the instance; it says whether that happened
// before ctx ended.
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
