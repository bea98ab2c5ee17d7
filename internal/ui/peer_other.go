//go:build !linux

package ui

import (
	"errors"
	"net"
)

// socketUser returns an error: only Linux reports the user of a socket.
func socketUser(_, _ net.Addr) (int, error) { return 0, errors.ErrUnsupported }
