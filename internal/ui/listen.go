package ui

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"

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
	saved := instance.SavedPort(path)
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
	checked, err := checkUsers(ctx, listener, socketUser, logger)
	if err != nil {
		return nil, 0, errors.Join(err, listener.Close())
	}
	return netutil.LimitListener(checked, maxConnections), port, nil
}

func bind(ctx context.Context, port int) (net.Listener, error) {
	var config net.ListenConfig
	return config.Listen(ctx, "tcp4", net.JoinHostPort(loopback, strconv.Itoa(port)))
}
