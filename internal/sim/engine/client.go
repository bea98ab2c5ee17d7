package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/containerd/errdefs"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	containerengine "github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/memory"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
)

// NewLink returns a link with the errors of a Docker Engine. It is down until
// SetDown(nil).
func NewLink(f *fate.Fates, name string) *fate.Link {
	l := fate.NewLink(f, "engine "+name,
		func(d *fate.Dice) error {
			if d.Chance(0.5) {
				return fmt.Errorf("simulated: the engine refuses for now: %w", errdefs.ErrConflict)
			}
			return errors.New("simulated: the engine failed")
		},
		func(*fate.Dice) error { return io.ErrUnexpectedEOF },
	).Sturdy("events", "pull", "push")
	l.SetDown(Refused())
	return l
}

// Refused is the error of an engine that does not listen.
func Refused() error {
	return &net.OpError{Op: "dial", Net: "unix", Err: syscall.ECONNREFUSED}
}

// Client is the connection of one process to the engine. It implements
// [docker.API].
type Client struct {
	// Streamer has no faults: the simulation opens no streams.
	containerengine.Streamer

	model   *Model
	fates   *fate.Fates
	link    *fate.Link
	process *fate.Process
	events  func() EventRates
	judge   Judge
	// who distinguishes the decisions that are drawn for clients of one process.
	who    string
	closed atomic.Bool
}

var _ docker.API = (*Client)(nil)

// Judge observes the commands of rdd.
type Judge interface {
	// Command is called with every command that changes something, when it is given. The
	// function that it returns is called when the success of the command was answered.
	Command(verb string, kind containersv1.Kind, id string) (answered func())
	// Started is called when a command has started a container.
	Started(verb, id string)
	// Made is called when a command has created an object for a request.
	Made(kind containersv1.Kind, id string, request types.UID)
}

// NewClient returns a client. who distinguishes it from other clients of the process, and may
// be empty. events returns what can happen to the next event.
func NewClient(who string, m *Model, f *fate.Fates, link *fate.Link, p *fate.Process, events func() EventRates, judge Judge) *Client {
	return &Client{who: who, Streamer: m.Dial(), model: m, fates: f, link: link, process: p, events: events, judge: judge}
}

var errClientClosed = fmt.Errorf("simulated: this client was closed: %w", containerengine.ErrUnreachable)

func (c *Client) call(ctx context.Context, verb, object string, effect func() error) error {
	if c.closed.Load() {
		c.fates.Pass(time.Microsecond)
		return errClientClosed
	}
	return c.link.Call(ctx, c.process, verb, c.who+object, effect)
}

// read makes a call that returns an object.
func read[T any](ctx context.Context, c *Client, verb, object string, f func() (T, error)) (T, error) {
	var out T
	err := c.call(ctx, verb, object, func() (err error) {
		out, err = f()
		return err
	})
	if err != nil {
		var none T
		return none, err
	}
	return out, nil
}

// Connect implements [docker.API].
func (c *Client) Connect(ctx context.Context) (docker.Info, error) {
	return read(ctx, c, "connect", "", func() (docker.Info, error) {
		version, api := c.model.Version()
		return docker.Info{Version: version, APIVersion: api, SystemTime: c.model.Now()}, nil
	})
}

// Ping implements [docker.API].
func (c *Client) Ping(ctx context.Context) error {
	return c.call(ctx, "ping", "", func() error { return nil })
}

// List implements [docker.API].
func (c *Client) List(ctx context.Context, kind containersv1.Kind) ([]docker.Listed, error) {
	return read(ctx, c, "list", string(kind), func() ([]docker.Listed, error) { return c.model.list(kind), nil })
}

// Inspect implements [docker.API].
func (c *Client) Inspect(ctx context.Context, kind containersv1.Kind, id string) ([]containersv1.Mirror, error) {
	return read(ctx, c, "inspect", id, func() ([]containersv1.Mirror, error) { return c.model.Inspect(kind, id) })
}

func (c *Client) command(ctx context.Context, verb string, kind containersv1.Kind, id string, effect func() error) error {
	answered := c.judge.Command(verb, kind, id)
	err := c.call(ctx, verb, id, effect)
	if err == nil {
		answered()
	}
	return err
}

// StartContainer implements [docker.API].
func (c *Client) StartContainer(ctx context.Context, id string) error {
	return c.command(ctx, "start", containersv1.KindContainer, id, func() error {
		return c.starting("start", id, func() error { return c.model.StartContainer(id) })
	})
}

// starting reports to the judge when an effect starts a container.
func (c *Client) starting(verb, id string, effect func() error) error {
	before, _ := c.model.Container(id)
	err := effect()
	if now, gone := c.model.Container(id); gone == nil && !now.Started.Equal(before.Started) {
		c.judge.Started(verb, id)
	}
	return err
}

// stopWithin is more than any container of a simulation takes to stop.
const stopWithin = 90 * time.Second

// StopContainer implements [docker.API]. The engine completes the stop when the
// client has left.
func (c *Client) StopContainer(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, stopWithin)
	defer cancel()
	return c.command(ctx, "stop", containersv1.KindContainer, id, func() error {
		delay, running, err := c.model.BeginStop(id)
		if err != nil || running == "" {
			return err
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			c.fates.Pass(delay)
			c.model.EndStop(id)
		}()
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			c.fates.Pass(time.Microsecond)
			return ctx.Err()
		}
	})
}

// restartWithin is more than any restart in a simulation takes.
const restartWithin = 90 * time.Second

// RestartContainer implements [docker.API]. The engine completes the restart when the
// client has left.
func (c *Client) RestartContainer(ctx context.Context, id string, startedAt *metav1.MicroTime) error {
	ctx, cancel := context.WithTimeout(ctx, restartWithin)
	defer cancel()
	return c.command(ctx, "restart", containersv1.KindContainer, id, func() error {
		now, err := c.model.Container(id)
		if err != nil || !now.Mirror().Status.StartedAt.Equal(startedAt) {
			return err
		}
		var delay time.Duration
		var running string
		err = c.starting("restart", id, func() (err error) {
			delay, running, err = c.model.BeginRestart(id)
			return err
		})
		if err != nil || running == "" {
			return err
		}
		ended := make(chan error, 1)
		go func() {
			c.fates.Pass(delay)
			ended <- c.starting("restart", id, func() error { return c.model.EndRestart(id) })
		}()
		select {
		case err := <-ended:
			return err
		case <-ctx.Done():
			c.fates.Pass(time.Microsecond)
			return ctx.Err()
		}
	})
}

// PauseContainer implements [docker.API].
func (c *Client) PauseContainer(ctx context.Context, id string) error {
	return c.command(ctx, "pause", containersv1.KindContainer, id, func() error { return c.model.PauseContainer(id) })
}

// KillContainer implements [docker.API].
func (c *Client) KillContainer(ctx context.Context, id string) error {
	return c.command(ctx, "kill", containersv1.KindContainer, id, func() error { return c.model.KillContainer(id) })
}

// UnpauseContainer implements [docker.API].
func (c *Client) UnpauseContainer(ctx context.Context, id string) error {
	return c.command(ctx, "unpause", containersv1.KindContainer, id, func() error { return c.model.UnpauseContainer(id) })
}

// Remove implements [docker.API].
func (c *Client) Remove(ctx context.Context, kind containersv1.Kind, id string) error {
	return c.command(ctx, "remove", kind, id, func() error { return c.model.Remove(kind, id) })
}

// made reports to the judge the object that a command has created, unless err is set, and
// returns err.
func (c *Client) made(kind containersv1.Kind, id string, request types.UID, err error) error {
	if err == nil {
		c.judge.Made(kind, id, request)
	}
	return err
}

// Requested implements [docker.API].
func (c *Client) Requested(ctx context.Context, kind containersv1.Kind, request types.UID) ([]string, error) {
	return read(ctx, c, "list", "requested", func() ([]string, error) { return c.model.Requested(kind, request), nil })
}

// CreateContainer implements [docker.API].
func (c *Client) CreateContainer(ctx context.Context, spec containersv1.ContainerCreateRequestSpec, request types.UID) (id string, err error) {
	err = c.command(ctx, "create", containersv1.KindContainer, spec.Name, func() (err error) {
		id, err = c.model.CreateContainer(memory.RequestedContainer(spec, request))
		return c.made(containersv1.KindContainer, id, request, err)
	})
	return id, err
}

// ConnectNetwork implements [docker.API].
func (c *Client) ConnectNetwork(ctx context.Context, network, container string) error {
	return c.command(ctx, "connect", containersv1.KindNetwork, network, func() error { return c.model.ConnectContainer(network, container, true) })
}

// DiscardContainer implements [docker.API].
func (c *Client) DiscardContainer(ctx context.Context, id string) error {
	return c.command(ctx, "discard", containersv1.KindContainer, id, func() error { return c.model.RemoveContainerAndVolumes(id, false) })
}

// CreateVolume implements [docker.API].
func (c *Client) CreateVolume(ctx context.Context, spec containersv1.VolumeCreateRequestSpec, request types.UID) (labels map[string]string, err error) {
	err = c.command(ctx, "create", containersv1.KindVolume, spec.Name, func() error {
		v, err := c.model.CreateVolume(memory.RequestedVolume(spec, request))
		if labels = v.Labels; !containerengine.FromRequest(labels, request) {
			return err // there was one before
		}
		return c.made(containersv1.KindVolume, v.Name, request, err)
	})
	return labels, err
}

// CreateNetwork implements [docker.API].
func (c *Client) CreateNetwork(ctx context.Context, spec containersv1.NetworkCreateRequestSpec, request types.UID) (id string, err error) {
	err = c.command(ctx, "create", containersv1.KindNetwork, spec.Name, func() error {
		n, err := c.model.CreateNetwork(memory.RequestedNetwork(spec, request))
		id = n.ID
		return c.made(containersv1.KindNetwork, id, request, err)
	})
	return id, err
}

// Close implements [docker.API].
func (c *Client) Close() error {
	c.closed.Store(true)
	return nil
}
