package controlplane

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

const loopback = "127.0.0.1"

// listen listens on the loopback address: on the configured port, else on the saved one
// of the last start, else on a free one. It saves the port.
func listen(ctx context.Context, opts Options) (net.Listener, int, error) {
	path := filepath.Join(opts.TLSDir, filename.Port)
	preferred := opts.Port
	if preferred == 0 {
		preferred = instance.SavedPort(path)
	}
	listener, err := bind(ctx, preferred)
	if err != nil && preferred != 0 {
		opts.Logger.Warn("the API server's port cannot be used; using a free one", slog.Int("port", preferred), slog.Any("error", err))
		listener, err = bind(ctx, 0)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("listen for API clients: %w", err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if port != instance.SavedPort(path) {
		if err := writePrivate(path, []byte(strconv.Itoa(port)+"\n")); err != nil {
			listener.Close()
			return nil, 0, err
		}
	}
	return listener, port, nil
}

func bind(ctx context.Context, port int) (net.Listener, error) {
	var config net.ListenConfig
	return config.Listen(ctx, "tcp4", net.JoinHostPort(loopback, strconv.Itoa(port)))
}
