package watch

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/watch/guest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/watch/publish"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/watch/reclaim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/forward"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/probe"
)

// connection has the tasks and sockets of one connection to the guest.
type connection struct {
	conn *guest.Conn
	// cancel ends the tasks.
	cancel context.CancelFunc
	tasks  sync.WaitGroup
	// engine is the engine's socket on the host; nil if it could not be created.
	engine  *forward.Forward
	sockets []*forward.Forward
}

// openConnection starts the tasks of a connection, and opens its sockets except that of
// the engine. The tasks wait for the engine, and then publish ports.
func (w *watcher) openConnection(conn *guest.Conn) *connection {
	ctx, cancel := context.WithCancel(context.Background())
	c := &connection{conn: conn, cancel: cancel, sockets: w.openSockets(conn)}
	send := func(e event) {
		select {
		case w.events <- e:
		case <-ctx.Done():
		}
	}
	isReady := w.isReady
	c.tasks.Go(func() {
		if !isReady {
			if w.awaitEngine(ctx, conn, send) != nil {
				return
			}
			send(engineReady{})
		}
		c.tasks.Go(func() { reclaim.Run(ctx, conn, dataDir(w.guest.Engine), w.Log) })
		publish.Run(ctx, conn, publish.Config{
			YAML: w.guest.YAML, Dir: w.Paths.Dir(), SSHPort: w.guest.SSHPort, Log: w.Log,
			Report: func(note string) { send(portsChanged{note}) },
		})
	})
	return c
}

// closeConnection ends the tasks of the connection and closes its sockets, if there is a
// connection. No event of the connection arrives afterwards.
func (w *watcher) closeConnection() {
	c := w.connection
	if c == nil {
		return
	}
	w.connection = nil
	c.cancel()
	if c.engine != nil {
		c.engine.Close()
	}
	for _, f := range c.sockets {
		f.Close()
	}
	c.tasks.Wait()
}

// restoreSocket creates the engine's socket while there is a connection. Cleanup
// programs may have removed it.
func (w *watcher) restoreSocket() {
	c := w.connection
	if c == nil {
		return
	}
	if c.engine != nil {
		if c.engine.Exists() || w.isHeld() {
			return
		}
		w.Log.Warn("recreating the engine's socket, which was removed", "socket", w.Socket)
		c.engine.Close()
	}
	var err error
	c.engine, err = forward.Open(w.Socket, func(ctx context.Context) (net.Conn, error) {
		return c.conn.Dial(ctx, socketInGuest(w.guest.Engine))
	}, w.clients, w.Log)
	if err != nil {
		w.Log.Error("cannot create the engine's socket", "error", err)
		w.facts.socketTrouble, w.lastFailure = "the engine cannot be reached: "+err.Error(), err
		return
	}
	w.facts.socketTrouble = ""
}

// isHeld reports whether another process listens at the engine's socket: the daemon does,
// just before it stops an idle VM.
func (w *watcher) isHeld() bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return probe.Dial(ctx, w.Socket) == nil
}

// openSockets creates the sockets on the host that a user's lima.yaml requests.
func (w *watcher) openSockets(conn *guest.Conn) []*forward.Forward {
	if w.guest.YAML == nil {
		return nil
	}
	var all []*forward.Forward
	for _, rule := range w.guest.YAML.PortForwards {
		if rule.GuestSocket == "" || rule.HostSocket == "" || rule.HostSocket == w.Socket {
			continue
		}
		opened, err := openSocket(rule.HostSocket, func(ctx context.Context) (net.Conn, error) {
			return conn.Dial(ctx, rule.GuestSocket)
		}, w)
		if err != nil {
			w.Log.Error("cannot create a socket of the lima.yaml", "socket", rule.HostSocket, "error", err)
			continue
		}
		all = append(all, opened)
	}
	return all
}

func openSocket(path string, dial forward.Dial, w *watcher) (*forward.Forward, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	return forward.Open(path, dial, nil, w.Log)
}
