package instance

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

// Run describes the process that holds the lock, for commands that cannot connect to
// it. This is a daemon, or a command that excludes daemons for a while.
type Run struct {
	PID int `json:"pid"`
	// Process is the kernel's start time of the process, as in process.Process.Start.
	// Together with the pid it identifies the process.
	Process uint64    `json:"process"`
	Version string    `json:"version"`
	Started time.Time `json:"started"`
	// Doing is the current task of a command; it is empty for a daemon.
	Doing string `json:"doing,omitempty"`
}

// SaveRun saves the description of the process that holds the lock.
func (i Instance) SaveRun(run Run) error {
	text, err := json.Marshal(run)
	if err != nil {
		return fmt.Errorf("encode the description of process %d: %w", run.PID, err)
	}
	if err := ReplaceFile(i.runFile(), append(text, '\n')); err != nil {
		return fmt.Errorf("save the description of process %d: %w", run.PID, err)
	}
	return nil
}

// LoadRun reads the description of the process with this pid. If there is none, or it
// describes another process, the result only has the pid.
func (i Instance) LoadRun(pid int) Run {
	var run Run
	text, err := os.ReadFile(i.runFile())
	if err != nil || json.Unmarshal(text, &run) != nil || run.PID != pid {
		return Run{PID: pid}
	}
	return run
}

func (i Instance) runFile() string { return filepath.Join(i.Dir, filename.Run) }
