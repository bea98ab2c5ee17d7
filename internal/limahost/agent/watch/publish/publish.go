// Package publish makes the ports of a guest reachable on the host.
//
// It does not use Lima's listeners, which share a port with another VM without an error.
//
// Reading map: publish.go follows the guest agent, ports.go opens and closes ports,
// rules.go decides on the host address of a port.
package publish

import (
	"context"
	"log/slog"
	"net"
	"time"

	"github.com/lima-vm/lima/pkg/guestagent/api"
	guestagent "github.com/lima-vm/lima/pkg/guestagent/api/client"
	"github.com/lima-vm/lima/pkg/limayaml"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/watch/guest"
)

const (
	// guestAgentSocket is the socket of Lima's guest agent.
	guestAgentSocket = "/run/lima-guestagent.sock"
	// portRetryInterval is the time between two attempts to open a port that is in
	// use on the host.
	portRetryInterval = 3 * time.Second
	// minRetryPause and maxRetryPause bound the pauses between two connections to
	// the guest agent.
	minRetryPause = 250 * time.Millisecond
	maxRetryPause = 5 * time.Second
)

// Config says which ports are published.
type Config struct {
	// YAML is the VM's lima.yaml, with Lima's defaults; nil if it cannot be read.
	YAML *limayaml.LimaYAML
	// Dir is the VM's directory, to which paths in the lima.yaml are relative.
	Dir string
	// SSHPort is the port on the host for the guest's SSH server.
	SSHPort int
	Log     *slog.Logger
	// Report receives a text on the ports that are not published. It is empty when all
	// ports are published.
	Report func(note string)
}

// Run publishes the guest's ports, as the guest agent reports them, until ctx ends.
// A start does not wait for a guest agent.
func Run(ctx context.Context, conn *guest.Conn, cfg Config) {
	if cfg.YAML != nil && *cfg.YAML.Plain {
		return
	}
	pause := minRetryPause
	for ctx.Err() == nil {
		began := time.Now()
		err := follow(ctx, conn, cfg)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > maxRetryPause {
			pause = minRetryPause
		}
		cfg.Log.Debug("the guest agent does not report ports", "error", err, "pause", pause)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, maxRetryPause)
	}
}

// follow follows one connection to the guest agent. It closes all ports before it
// returns.
func follow(ctx context.Context, conn *guest.Conn, cfg Config) error {
	// Lima's client never closes its connection, and backs off for a long time when
	// it cannot connect. So it gets one open connection.
	first, err := conn.Dial(ctx, guestAgentSocket)
	if err != nil {
		return err
	}
	dialled := make(chan net.Conn, 1)
	dialled <- first
	defer first.Close()
	client, err := guestagent.NewGuestAgentClient(func(context.Context) (net.Conn, error) {
		select {
		case c := <-dialled:
			return noDeadlines{c}, nil
		default:
			return nil, net.ErrClosed
		}
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := newPorts(conn, client, cfg)
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
	ticker := time.NewTicker(portRetryInterval)
	defer ticker.Stop()
	for {
		select {
		case e := <-events:
			p.handle(ctx, e)
		case <-ticker.C:
			p.reconcile(ctx)
		case err := <-ended:
			return err
		}
	}
}

// noDeadlines is a connection through SSH, which supports no deadlines.
type noDeadlines struct {
	net.Conn
}

// SetDeadline implements net.Conn.
func (noDeadlines) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.Conn.
func (noDeadlines) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.Conn.
func (noDeadlines) SetWriteDeadline(time.Time) error { return nil }
