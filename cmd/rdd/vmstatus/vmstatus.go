// Package vmstatus inspects the VM of an instance: its lock, its processes and its
// host agent. It needs no daemon.
//
// Reading map: vmstatus.go inspects the VM, rows.go formats the result.
package vmstatus

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
	// StateNone: no VM was created, or it was deleted.
	StateNone    State = "none"
	StateStopped State = "stopped"
	// StateStarting: the host agent has not reached the phase ready.
	StateStarting State = "starting"
	StateRunning  State = "running"
	// StateHung: the guest or its host agent does not answer.
	StateHung State = "hung"
	// StateUnattended: the VM runs without a host agent. The daemon starts another
	// agent.
	StateUnattended State = "unattended"
)

// Report is the state of a VM.
type Report struct {
	Instance string `json:"instance"`
	State    State  `json:"state"`
	// PID of the host agent and MachinePID of QEMU; 0 if there is no such process.
	PID        int `json:"pid,omitempty"`
	MachinePID int `json:"machinePID,omitempty"`
	// Status is what the host agent reports; nil if no agent answers.
	*limahost.Status
	// SSHConfig is a file for `ssh -F FILE lima-rdd`, or empty.
	SSHConfig string `json:"sshConfig,omitempty"`
	// Error is the reason why the host agent does not answer.
	Error string `json:"error,omitempty"`
	// LastEnd is how the last host agent ended, if it recorded that.
	LastEnd *limahost.ExitStatus `json:"lastEnd,omitempty"`
}

// Inspect inspects the VM of the instance called name. It returns when ctx ends.
func Inspect(ctx context.Context, name string, paths limahost.Paths) (Report, error) {
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
	if end, found, err := limahost.LastExit(paths); err == nil && found {
		r.LastEnd = &end
	}
	hasDir, err := exists(paths.Dir())
	if err != nil {
		return r, err
	}
	if found, err := exists(paths.SSHConfig()); err == nil && found {
		r.SSHConfig = paths.SSHConfig()
	}
	r.State = stateOf(r, alive, hasDir)
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
		return false, fmt.Errorf("inspect the VM: %w", err)
	}
	return true, nil
}
