package instance

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Args are the arguments of a daemon. They are saved, so that a restart, or a start by
// another command, uses the same arguments.
type Args struct {
	// LogLevel is debug, info, warn or error; empty means info.
	LogLevel string `json:"logLevel,omitempty"`
	// Port is the API server's port on loopback; 0 lets the daemon choose.
	Port int `json:"port,omitempty"`
	// Namespace is the Kubernetes namespace of the mirrors, chosen at the first start;
	// empty means the App's default.
	Namespace string `json:"namespace,omitempty"`
	// Environment is the saved part of the daemon's environment.
	Environment Environment `json:"environment,omitzero"`
}

// LoadArgs reads the arguments of the last start. Without a file it returns the zero
// value.
func (i Instance) LoadArgs() (Args, error) {
	var args Args
	text, err := os.ReadFile(i.ArgsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return args, nil
	}
	if err != nil {
		return args, fmt.Errorf("read the daemon's arguments: %w", err)
	}
	if err := json.Unmarshal(text, &args); err != nil {
		return args, fmt.Errorf("read the daemon's arguments from %s: %w: remove the file to use the defaults", i.ArgsFile, err)
	}
	return args, nil
}

// SaveArgs saves args atomically. It does not write unchanged arguments, so that it
// succeeds on a full disk if nothing changes.
func (i Instance) SaveArgs(args Args) error {
	if saved, err := i.LoadArgs(); err == nil && saved == args {
		return nil
	}
	text, err := json.MarshalIndent(args, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the daemon's arguments: %w", err)
	}
	if err := ReplaceFile(i.ArgsFile, append(text, '\n')); err != nil {
		return fmt.Errorf("save the daemon's arguments: %w", err)
	}
	return nil
}
