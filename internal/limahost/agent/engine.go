package agent

import (
	"context"
	"net"
	"os"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/forward"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/guest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/probe"
)

const engineContainerd = "containerd"

// engineOf is where an engine is in the guest: its socket, and a directory in the
// file system with its data.
func engineOf(name string) (socket, data string) {
	if name == engineContainerd {
		return "/run/containerd/containerd.sock", "/var/lib/containerd"
	}
	return "/var/run/docker.sock", "/var/lib/docker"
}

const (
	// engineAgain is the pause between questions to an engine that is starting.
	engineAgain = 100 * time.Millisecond
	// engineWithin bounds one question: systemd holds connections for an engine
	// that is starting, so it is answered as soon as there is one.
	engineWithin = 30 * time.Second
)

// openEngine makes the engine's socket of the guest appear on the host.
func (w *watcher) openEngine(conn *guest.Conn) (*forward.Forward, error) {
	socket, _ := engineOf(w.guest.engine)
	return forward.Open(w.cfg.Socket, func(ctx context.Context) (net.Conn, error) {
		return conn.Dial(ctx, socket)
	}, w.log)
}

// keepSocket sees to it that the engine's socket is there while there is a
// connection: programs that tidy up may remove it.
func (w *watcher) keepSocket() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn == nil {
		return
	}
	if w.engine != nil {
		if _, err := os.Lstat(w.cfg.Socket); err == nil {
			return
		}
		w.log.Warn("the engine's socket was removed; it is made again", "socket", w.cfg.Socket)
		w.engine.Close()
	}
	var err error
	if w.engine, err = w.openEngine(w.conn); err != nil {
		w.log.Error("the engine's socket cannot be made", "error", err)
		w.socketTrouble, w.lastFailure = "the engine cannot be reached: "+err.Error(), err
		return
	}
	w.socketTrouble = ""
}

// awaitEngine returns nil when the engine answers through the forwarded socket,
// or the error of ctx.
func (w *watcher) awaitEngine(ctx context.Context, conn *guest.Conn) error {
	for {
		err := w.askEngine(ctx, conn)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		w.failed(err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(engineAgain):
		}
	}
}

// askEngine asks Docker for its ping. Containerd, which speaks gRPC, answers by
// taking the connection.
func (w *watcher) askEngine(ctx context.Context, conn *guest.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, engineWithin)
	defer cancel()
	if w.guest.engine == engineContainerd {
		socket, _ := engineOf(w.guest.engine)
		taken, err := conn.Dial(ctx, socket)
		if err == nil {
			taken.Close()
		}
		return err
	}
	return probe.Ping(ctx, "unix://"+w.cfg.Socket)
}
