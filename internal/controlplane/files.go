package controlplane

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// privateDir makes a directory that only this user can enter.
func privateDir(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	return os.Chmod(path, 0o700)
}

// writePrivate replaces a file as a whole: a reader sees the old content or the
// new, a crash leaves one of them, and nobody else can read it at any moment.
func writePrivate(path string, data []byte) (err error) {
	// CreateTemp makes the file with mode 0600.
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temp.Name()))
			err = fmt.Errorf("write %s: %w", path, err)
		}
	}()
	if _, err := temp.Write(data); err != nil {
		temp.Close()
		return err
	}
	if err := temp.Close(); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}
