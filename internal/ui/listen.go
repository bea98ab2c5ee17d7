package ui

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/net/netutil"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

const loopback = "127.0.0.1"

// maxConnections limits the connections of this user. A browser opens six, and one for each
// shell.
const maxConnections = 512

// listen listens on the port of the last start, so that an open page finds the daemon again,
// or on a free one. It saves the port in the directory dir.
func listen(ctx context.Context, dir string, logger *slog.Logger) (net.Listener, int, error) {
	path := filepath.Join(dir, filename.PagePort)
	saved := savedPort(path)
	listener, err := bind(ctx, saved)
	if err != nil && saved != 0 {
		logger.Warn("the port of the page cannot be used; using a free one", slog.Int("port", saved), slog.Any("err", err))
		listener, err = bind(ctx, 0)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("listen for the page: %w", err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if port != saved {
		if err := instance.ReplaceFile(path, []byte(strconv.Itoa(port)+"\n")); err != nil {
			logger.Warn("the port of the page could not be saved", slog.Any("err", err))
		}
	}
	return netutil.LimitListener(&ownConnections{Listener: listener, logger: logger}, maxConnections), port, nil
}

func bind(ctx context.Context, port int) (net.Listener, error) {
	var config net.ListenConfig
	return config.Listen(ctx, "tcp4", net.JoinHostPort(loopback, strconv.Itoa(port)))
}

// savedPort returns the port in a file, or 0 if there is none.
func savedPort(path string) int {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	port, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 16)
	if err != nil {
		return 0
	}
	return int(port)
}

// ownConnections accepts the connections of this user only. A code of a login is visible in
// the list of processes, and a cookie is sent to every port of the machine, so neither is
// proof that a request is the user's.
type ownConnections struct {
	net.Listener

	logger *slog.Logger
	// refused counts the connections of other users. Only Accept uses it.
	refused int
	// isUnknown is set after the first connection whose user is not known.
	isUnknown bool
}

// Accept implements [net.Listener].
func (l *ownConnections) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		uid, err := peerUser(conn)
		switch {
		case err == nil && uid == os.Getuid():
			return conn, nil
		case isUnavailable(err):
			if !l.isUnknown {
				l.isUnknown = true
				l.logger.Info("the user of a connection to the page is not known on this system; the session alone protects the page", slog.Any("err", err))
			}
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
