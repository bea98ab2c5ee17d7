package agent

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/lima-vm/lima/pkg/guestagent/api"
	guestagent "github.com/lima-vm/lima/pkg/guestagent/api/client"
	"github.com/lima-vm/lima/pkg/limayaml"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/forward"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/guest"
)

const (
	// guestAgentSocket is where Lima's guest agent serves.
	guestAgentSocket = "/run/lima-guestagent.sock"
	guestSSHPort     = 22
	// refusedAgain is how often a port is tried that is taken on the host.
	refusedAgain = 3 * time.Second
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
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := &publisher{
		w: w, rules: w.rules(), conn: conn, udp: client,
		open: map[place]io.Closer{}, refused: map[place]error{},
	}
	defer p.close()
	events := make(chan *api.Event)
	ended := make(chan error, 1)
	go func() {
		ended <- client.Events(ctx, func(e *api.Event) {
			select {
			case events <- e:
			case <-ctx.Done():
			}
		})
	}()
	ticker := time.NewTicker(refusedAgain)
	defer ticker.Stop()
	for {
		select {
		case e := <-events:
			p.change(ctx, e)
		case <-ticker.C:
			p.again(ctx)
		case err := <-ended:
			return err
		}
	}
}

// rules say which port of the guest appears where: not SSH, then as the user's
// lima.yaml says, then all at the same port of 127.0.0.1.
func (w *watcher) rules() []limayaml.PortForward {
	y := w.guest.config
	if y == nil {
		y = &limayaml.LimaYAML{}
	}
	// Those of the lima.yaml have Lima's defaults already.
	own := []limayaml.PortForward{
		{GuestIP: net.IPv4zero, GuestPort: guestSSHPort, Ignore: true},
		{GuestIP: net.IPv4zero, GuestPort: w.guest.port, Ignore: true},
		{Proto: limayaml.ProtoAny},
	}
	for i := range own {
		limayaml.FillPortForwardDefaults(&own[i], w.paths.Dir(), y.User, y.Param)
	}
	return slices.Concat(own[:2], y.PortForwards, own[2:])
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
