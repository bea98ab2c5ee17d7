package agent

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/lima-vm/lima/pkg/guestagent/api"
	guestagent "github.com/lima-vm/lima/pkg/guestagent/api/client"
	"github.com/lima-vm/lima/pkg/limayaml"
	"github.com/lima-vm/lima/pkg/portfwd"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/vmhost/agent/forward"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/vmhost/agent/guest"
)

const (
	// guestAgentSocket is where Lima's guest agent serves.
	guestAgentSocket = "/run/lima-guestagent.sock"
	guestSSHPort     = 22
	// agentAgain to agentLongest are the pauses between attempts to reach it.
	agentAgain   = 250 * time.Millisecond
	agentLongest = 5 * time.Second
)

// openSockets makes the sockets appear on the host that a user's lima.yaml asks for.
func (w *watcher) openSockets(conn *guest.Conn) []*forward.Forward {
	if w.guest.config == nil {
		return nil
	}
	var all []*forward.Forward
	for _, rule := range w.guest.config.PortForwards {
		if rule.GuestSocket == "" || rule.HostSocket == "" || rule.HostSocket == w.cfg.Socket {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(rule.HostSocket), 0o700); err != nil {
			w.log.Error("a socket of the lima.yaml could not be made", "socket", rule.HostSocket, "error", err)
			continue
		}
		opened, err := forward.Open(rule.HostSocket, func(ctx context.Context) (net.Conn, error) {
			return conn.Dial(ctx, rule.GuestSocket)
		}, w.log)
		if err != nil {
			w.log.Error("a socket of the lima.yaml could not be made", "socket", rule.HostSocket, "error", err)
			continue
		}
		all = append(all, opened)
	}
	return all
}

// publish makes the ports of the guest appear on the host, as the guest agent
// tells of them, until ctx ends. It is no part of a start: a guest agent that is
// late delays nobody.
func (w *watcher) publish(ctx context.Context, conn *guest.Conn) {
	if y := w.guest.config; y != nil && *y.Plain {
		return
	}
	pause := agentAgain
	for ctx.Err() == nil {
		began := time.Now()
		err := w.publishOnce(ctx, conn)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > agentLongest {
			pause = agentAgain
		}
		w.log.Debug("the guest agent does not tell of ports", "error", err, "again", pause)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, agentLongest)
	}
}

// publishOnce follows one connection to the guest agent. All ports are closed
// when it returns.
func (w *watcher) publishOnce(ctx context.Context, conn *guest.Conn) error {
	// Lima's client never closes its connection, and when it finds nobody it waits
	// for longer and longer. So it is given a connection that works, or none.
	first, err := conn.Dial(ctx, guestAgentSocket)
	if err != nil {
		return err
	}
	dialled := make(chan net.Conn, 1)
	dialled <- first
	defer first.Close()
	client, err := guestagent.NewGuestAgentClient(func(ctx context.Context) (net.Conn, error) {
		select {
		case c := <-dialled:
			return untimed{c}, nil
		default:
			return nil, net.ErrClosed
		}
	})
	if err != nil {
		return err
	}
	// A new forwarder, since the last one may not have closed all that it opened.
	forwarder := portfwd.NewPortForwarder(w.rules(), false, false)
	open := map[string]*api.IPPort{}
	defer func() {
		removed := &api.Event{}
		for _, port := range open {
			removed.LocalPortsRemoved = append(removed.LocalPortsRemoved, port)
		}
		forwarder.OnEvent(context.WithoutCancel(ctx), client, removed)
	}()
	return client.Events(ctx, func(e *api.Event) {
		for _, port := range e.GetLocalPortsAdded() {
			open[port.String()] = port
		}
		for _, port := range e.GetLocalPortsRemoved() {
			delete(open, port.String())
		}
		forwarder.OnEvent(ctx, client, e)
	})
}

// rules say which port of the guest appears where: not SSH, then as the user's
// lima.yaml says, then all at the same port of 127.0.0.1.
func (w *watcher) rules() []limayaml.PortForward {
	y := w.guest.config
	if y == nil {
		y = &limayaml.LimaYAML{}
	}
	var rules []limayaml.PortForward
	for _, port := range []int{guestSSHPort, w.guest.port} {
		rules = append(rules, limayaml.PortForward{GuestIP: net.IPv4zero, GuestPort: port, Ignore: true})
	}
	rules = append(rules, y.PortForwards...)
	rules = append(rules, limayaml.PortForward{})
	for i := range rules {
		limayaml.FillPortForwardDefaults(&rules[i], w.paths.Dir(), y.User, y.Param)
	}
	return rules
}

// untimed is a connection through SSH, which has no deadlines.
type untimed struct {
	net.Conn
}

// SetDeadline implements net.Conn.
func (untimed) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.Conn.
func (untimed) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.Conn.
func (untimed) SetWriteDeadline(time.Time) error { return nil }
