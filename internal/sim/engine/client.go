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

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
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
	).Sturdy("events")
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
	model   *Model
	fates   *fate.Fates
	link    *fate.Link
	process *fate.Process
	events  func() EventRates
	judge   Judge
	closed  atomic.Bool
}

var _ docker.API = (*Client)(nil)

// Judge gets every command that changes something, when it is given. The function
// that it returns is called when the success of the command was answered.
type Judge interface {
	Command(verb string, kind containersv1.Kind, id string) (answered func())
}

// NewClient returns a client. events returns what can happen to the next event.
func NewClient(m *Model, f *fate.Fates, link *fate.Link, p *fate.Process, events func() EventRates, judge Judge) *Client {
	return &Client{model: m, fates: f, link: link, process: p, events: events, judge: judge}
}

var errClientClosed = errors.New("simulated: this client was closed")

func (c *Client) call(ctx context.Context, verb, object string, effect func() error) error {
	if c.closed.Load() {
		c.fates.Pass(time.Microsecond)
		return errClientClosed
	}
	return c.link.Call(ctx, c.process, verb, object, effect)
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

// ListContainers implements [docker.API].
func (c *Client) ListContainers(ctx context.Context) ([]string, error) {
	return read(ctx, c, "list", "containers", func() ([]string, error) { return c.model.ContainerIDs(), nil })
}

// Container implements [docker.API].
func (c *Client) Container(ctx context.Context, id string) (*containersv1.Container, error) {
	return read(ctx, c, "inspect", id, func() (*containersv1.Container, error) { return c.model.container(id) })
}

// ListImages implements [docker.API].
func (c *Client) ListImages(ctx context.Context) ([]docker.ListedImage, error) {
	return read(ctx, c, "list", "images", func() ([]docker.ListedImage, error) { return c.model.listedImages(), nil })
}

// Images implements [docker.API].
func (c *Client) Images(ctx context.Context, ref string) ([]*containersv1.Image, error) {
	return read(ctx, c, "inspect", ref, func() ([]*containersv1.Image, error) { return c.model.imagesOf(ref) })
}

// ListVolumes implements [docker.API].
func (c *Client) ListVolumes(ctx context.Context) ([]*containersv1.Volume, error) {
	return read(ctx, c, "list", "volumes", func() ([]*containersv1.Volume, error) { return mirrors(c.model.Volumes(), memory.Volume.Mirror), nil })
}

// Volume implements [docker.API].
func (c *Client) Volume(ctx context.Context, name string) (*containersv1.Volume, error) {
	return read(ctx, c, "inspect", name, func() (*containersv1.Volume, error) { return mirror(memory.Volume.Mirror)(c.model.Volume(name)) })
}

// ListNetworks implements [docker.API].
func (c *Client) ListNetworks(ctx context.Context) ([]string, error) {
	return read(ctx, c, "list", "networks", func() ([]string, error) {
		return mirrors(c.model.Networks(), func(n memory.Network) string { return n.ID }), nil
	})
}

// Network implements [docker.API].
func (c *Client) Network(ctx context.Context, id string) (*containersv1.Network, error) {
	return read(ctx, c, "inspect", id, func() (*containersv1.Network, error) { return mirror(memory.Network.Mirror)(c.model.Network(id)) })
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
	return c.command(ctx, "start", containersv1.KindContainer, id, func() error { return c.model.StartContainer(id) })
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

// UnpauseContainer implements [docker.API].
func (c *Client) UnpauseContainer(ctx context.Context, id string) error {
	return c.command(ctx, "unpause", containersv1.KindContainer, id, func() error { return c.model.UnpauseContainer(id) })
}

// RemoveContainer implements [docker.API].
func (c *Client) RemoveContainer(ctx context.Context, id string, force bool) error {
	return c.command(ctx, "remove", containersv1.KindContainer, id, func() error { return c.model.RemoveContainer(id, force) })
}

// RemoveImage implements [docker.API].
func (c *Client) RemoveImage(ctx context.Context, ref string) error {
	return c.command(ctx, "remove", containersv1.KindImage, ref, func() error { return c.model.RemoveImage(ref, false) })
}

// RemoveVolume implements [docker.API].
func (c *Client) RemoveVolume(ctx context.Context, name string) error {
	return c.command(ctx, "remove", containersv1.KindVolume, name, func() error { return c.model.RemoveVolume(name, false) })
}

// RemoveNetwork implements [docker.API].
func (c *Client) RemoveNetwork(ctx context.Context, id string) error {
	return c.command(ctx, "remove", containersv1.KindNetwork, id, func() error { return c.model.RemoveNetwork(id) })
}

// Close implements [docker.API].
func (c *Client) Close() error {
	c.closed.Store(true)
	return nil
}
