package watch

import (
	"context"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/watch/guest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/probe"
)

const engineContainerd = "containerd"

// socketInGuest returns the path of an engine's socket in the guest.
func socketInGuest(engine string) string {
	if engine == engineContainerd {
		return "/run/containerd/containerd.sock"
	}
	return "/var/run/docker.sock"
}

// dataDir returns a directory in the guest's file system with an engine's data.
func dataDir(engine string) string {
	if engine == engineContainerd {
		return "/var/lib/containerd"
	}
	return "/var/lib/docker"
}

const (
	// engineRetryPause is the pause between two requests to an engine that starts.
	engineRetryPause = 100 * time.Millisecond
	// engineTimeout limits one request. systemd holds the connections to an engine
	// that starts, so that a request is answered as soon as the engine is ready.
	engineTimeout = 30 * time.Second
)

// awaitEngine returns nil when the engine answers through the socket on the host, or
// the error of ctx.
func (w *watcher) awaitEngine(ctx context.Context, conn *guest.Conn, send func(event)) error {
	for {
		err := w.pingEngine(ctx, conn)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		send(attemptFailed{err})
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(engineRetryPause):
		}
	}
}

// pingEngine pings Docker. A containerd answers by accepting a connection, because
// its protocol is gRPC.
func (w *watcher) pingEngine(ctx context.Context, conn *guest.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, engineTimeout)
	defer cancel()
	if w.guest.Engine == engineContainerd {
		accepted, err := conn.Dial(ctx, socketInGuest(w.guest.Engine))
		if err == nil {
			accepted.Close()
		}
		return err
	}
	return probe.Ping(ctx, "unix://"+w.Socket)
}
