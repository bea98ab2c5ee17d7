package instance

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Run is what a daemon says of itself when it starts, for those who cannot ask it.
// A command that keeps daemons away for a while says so in the same place.
type Run struct {
	PID int `json:"pid"`
	// Process is when the kernel says that the process began, in the kernel's own
	// unit: with the pid it names one process for good.
	Process uint64    `json:"process"`
	Version string    `json:"version"`
	Started time.Time `json:"started"`
	// Doing is what a command does that is no daemon; empty for a daemon.
	Doing string `json:"doing,omitempty"`
}

// SaveRun keeps what the process that holds the lock says of itself.
func (i Instance) SaveRun(run Run) error {
	text, err := json.Marshal(run)
	if err != nil {
		return fmt.Errorf("encode the daemon's start: %w", err)
	}
	if err := ReplaceFile(i.runFile(), append(text, '\n')); err != nil {
		return fmt.Errorf("keep the daemon's start: %w", err)
	}
	return nil
}

// LoadRun reads what the process with this pid said of itself; another daemon's
// or none: only the pid.
func (i Instance) LoadRun(pid int) Run {
	var run Run
	text, err := os.ReadFile(i.runFile())
	if err != nil || json.Unmarshal(text, &run) != nil || run.PID != pid {
		return Run{PID: pid}
	}
	return run
}

func (i Instance) runFile() string { return filepath.Join(i.Dir, "run.json") }
