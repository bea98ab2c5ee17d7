//go:build !linux

package ui

import "net"

// socketUser returns an error: only Linux reports the user of a socket.
func socketUser(_, _ net.Addr) (int, error) { return 0, errNoUsers }
