// Package vmlook finds out how an instance's VM is, from outside: from its lock,
// its processes and its host agent, so that the answer is there with no daemon
// running, and with a hung one.
package vmlook

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/qemu"
)

// State of a VM.
type State string

// The states of a VM.
const (
	// StateNone: there is none, and there was none since the last delete.
	StateNone    State = "none"
	StateStopped State = "stopped"
	// StateStarting: it does not yet do all that it should.
	StateStarting State = "starting"
	StateRunning  State = "running"
	// StateHung: it is there, or its host agent is, and does not answer.
	StateHung State = "hung"
	// StateUnattended: the machine runs and its host agent does not. The daemon
	// starts another agent.
	StateUnattended State = "unattended"
)

// Report is what can be learned of a VM from outside.
type Report struct {
	Instance string `json:"instance"`
	State    State  `json:"state"`
	// PID of the host agent, MachinePID of QEMU; 0 when there is none.
	PID        int `json:"pid,omitempty"`
	MachinePID int `json:"machinePID,omitempty"`
	// Status is what the host agent tells; nil when none answers.
	*limahost.Status
	// SSHConfig is a configuration for `ssh -F FILE lima-rdd`; empty while there is none.
	SSHConfig string `json:"sshConfig,omitempty"`
	// Error says why the host agent does not answer.
	Error string `json:"error,omitempty"`
	// LastEnd is how the last host agent ended, if it could say so.
	LastEnd *limahost.End `json:"lastEnd,omitempty"`
}

// Look looks at the VM of the instance called name; it takes no longer than ctx
// allows.
func Look(ctx context.Context, name string, paths limahost.Paths) (Report, error) {
	r := Report{Instance: name}
	pid, alive, err := limahost.Alive(paths)
	if err != nil {
		return r, err
	}
	r.PID = pid
	if alive {
		if status, err := limahost.NewClient(paths).Status(ctx, 0); err != nil {
			r.Error = err.Error()
		} else {
			r.Status, r.MachinePID = &status, status.MachinePID
		}
	}
	if r.Status == nil {
		if machine, found := qemu.Find(paths); found {
			r.MachinePID = machine.PID
		}
	}
	if end, found, err := limahost.LastEnd(paths); err == nil && found {
		r.LastEnd = &end
	}
	there, err := exists(paths.Dir())
	if err != nil {
		return r, err
	}
	if found, err := exists(paths.SSHConfig()); err == nil && found {
		r.SSHConfig = paths.SSHConfig()
	}
	r.State = stateOf(r, alive, there)
	return r, nil
}

func stateOf(r Report, agent, disk bool) State {
	switch {
	case agent && r.Status == nil:
		return StateHung
	case agent && r.Phase != limahost.PhaseReady:
		return StateStarting
	case agent && !r.Answers:
		return StateHung
	case agent:
		return StateRunning
	case r.MachinePID != 0:
		return StateUnattended
	case disk:
		return StateStopped
	default:
		return StateNone
	}
}

func exists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for the VM: %w", err)
	}
	return true, nil
}
