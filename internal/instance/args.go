package instance

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Args are the arguments of a daemon. They are kept so that a restart, or a
// start that another command needs, brings up the same daemon again.
type Args struct {
	// LogLevel is debug, info, warn or error; empty means info.
	LogLevel string `json:"logLevel,omitempty"`
	// Port of the API server on loopback; 0 lets the daemon choose.
	Port int `json:"port,omitempty"`
	// Namespace of Kubernetes for the mirrors, chosen at the first start; empty
	// means the App's default.
	Namespace string `json:"namespace,omitempty"`
	// Environment of the daemon, as far as it is kept.
	Environment Environment `json:"environment,omitzero"`
}

// LoadArgs reads the arguments of the last start; none were kept: the zero value.
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
		return args, fmt.Errorf("read the daemon's arguments from %s: %w; remove the file to use the defaults", i.ArgsFile, err)
	}
	return args, nil
}

// SaveArgs keeps args. A reader sees the old ones or the new ones, never half.
// Arguments that are kept already are not written again, so that a full disk is
// no obstacle where nothing changes.
func (i Instance) SaveArgs(args Args) error {
	if kept, err := i.LoadArgs(); err == nil && kept == args {
		return nil
	}
	text, err := json.MarshalIndent(args, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the daemon's arguments: %w", err)
	}
	if err := ReplaceFile(i.ArgsFile, append(text, '\n')); err != nil {
		return fmt.Errorf("keep the daemon's arguments: %w", err)
	}
	return nil
}

// ReplaceFile writes a file of mode 0600 beside path and renames it: a reader, and
// a machine that loses its power, see the old content or the new, never half.
func ReplaceFile(path string, content []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
