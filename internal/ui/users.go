package ui

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
)

// errNoUsers is the error of a lookup on a system that reports the users of no sockets.
var errNoUsers = errors.New("only Linux reports the user of a socket")

// userLookup returns the ID of the user of a socket of this machine.
type userLookup func(local, remote net.Addr) (int, error)

// checkUsers returns a listener for the connections of this user only; or the same listener,
// after a warning, if this system does not report the users of sockets. It decides that once:
// a kernel without the lookup answers like one that does not find the socket.
func checkUsers(ctx context.Context, listener net.Listener, lookup userLookup, logger *slog.Logger) (net.Listener, error) {
	lookupErr, err := tryLookup(ctx, lookup)
	if err != nil {
		return nil, fmt.Errorf("try to look up the user of a connection: %w", err)
	}
	if errors.Is(lookupErr, errNoUsers) {
		logger.Info("logins protect the page from other users of this machine: its system does not report the user of a connection")
		return listener, nil
	}
	if lookupErr != nil {
		logger.Warn("this system does not report the user of a connection, so that other users of the machine can connect to the page; a login protects it", slog.Any("err", lookupErr))
		return listener, nil
	}
	return &ownConnections{Listener: listener, lookup: lookup, logger: logger}, nil
}

// tryLookup looks up a connection of this process. It returns why that failed, or an error if
// there was no connection to look up.
func tryLookup(ctx context.Context, lookup userLookup) (lookupErr, err error) {
	listener, err := bind(ctx, 0)
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp4", listener.Addr().String())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	uid, lookupErr := lookup(conn.LocalAddr(), conn.RemoteAddr())
	if lookupErr == nil && uid != os.Getuid() {
		lookupErr = fmt.Errorf("a connection of user %d is reported as one of user %d", os.Getuid(), uid)
	}
	return lookupErr, nil
}

// ownConnections accepts the connections of this user only. A code of a login is visible in
// the list of processes, and a cookie is sent to every port of the machine, so neither is
// proof that a request is the user's.
type ownConnections struct {
	net.Listener

	lookup userLookup
	logger *slog.Logger
	// refused counts the connections that were refused. Only Accept uses it.
	refused int
}

// Accept implements [net.Listener].
func (l *ownConnections) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		uid, err := l.lookup(conn.RemoteAddr(), conn.LocalAddr())
		if err == nil && uid == os.Getuid() {
			return conn, nil
		}
		conn.Close()
		l.note(uid, err)
	}
}

// note logs refused connections: the first one, the second, the fourth and so on.
func (l *ownConnections) note(uid int, err error) {
	l.refused++
	if l.refused&(l.refused-1) != 0 {
		return
	}
	last := slog.Int("lastUser", uid)
	if err != nil {
		last = slog.Any("lastError", err)
	}
	l.logger.Warn("closed connections to the page that are not this user's", slog.Int("count", l.refused), last)
}
