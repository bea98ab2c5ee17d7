//go:build !linux

package ui

import (
	"errors"
	"net"
)

// peerUser returns an error: only Linux reports the user of a connection.
func peerUser(net.Conn) (int, error) { return 0, errors.ErrUnsupported }

func isUnavailable(err error) bool { return errors.Is(err, errors.ErrUnsupported) }
