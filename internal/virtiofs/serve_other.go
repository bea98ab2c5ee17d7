//go:build !linux

package virtiofs

import (
	"errors"
	"io"
)

// Serve fails: QEMU has virtiofs on Linux only.
func Serve([]Share, Private, io.Reader) error {
	return errors.New("QEMU shares directories on Linux only")
}

// LimitMemory does nothing.
func LimitMemory() error { return nil }
