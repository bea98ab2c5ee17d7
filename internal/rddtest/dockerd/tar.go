//go:build linux

package dockerd

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"
)

// Busybox is a static program for images; one of its names is sleep.
const Busybox = "/bin/busybox"

// TarOf returns a tar with one file of this machine, under another name.
func TarOf(file, name string) ([]byte, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read %s (Debian's busybox-static has %s): %w", file, Busybox, err)
	}
	var buffer bytes.Buffer
	writer := tar.NewWriter(&buffer)
	if err := writer.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content))}); err != nil {
		return nil, fmt.Errorf("create a tar: %w", err)
	}
	if _, err := writer.Write(content); err != nil {
		return nil, fmt.Errorf("create a tar: %w", err)
	}
	if err := writer.Close(); err != nil {
		return nil, fmt.Errorf("create a tar: %w", err)
	}
	return buffer.Bytes(), nil
}
