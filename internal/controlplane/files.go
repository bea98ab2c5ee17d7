package controlplane

import (
	"fmt"
	"os"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

// privateDir creates a directory that only this user may enter.
func privateDir(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	return os.Chmod(path, 0o700)
}

// writePrivate replaces a file atomically. Only this user may read it.
func writePrivate(path string, data []byte) error {
	if err := instance.ReplaceFile(path, data); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
