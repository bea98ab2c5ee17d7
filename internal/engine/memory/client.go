package memory

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
)

// Client is a connection to an engine in the same process. It implements
// [docker.API].
type Client struct {
	engine *Engine
	open   context.Context
	close  context.CancelFunc
}

var _ docker.API = (*Client)(nil)

// NewClient returns a connection to the engine.
func (e *Engine) NewClient() *Client {
	c := &Client{engine: e}
	c.open, c.close = context.WithCancel(context.Background())
	return c
}

var errClientClosed = errors.New("the connection to the engine was closed")

// SetDown makes the calls of clients fail as those to an engine that does not listen,
// and ends event streams.
func (e *Engine) SetDown(down bool) {
	func() {
		defer e.lock()()
		e.down = down
	}()
	if down {
		e.CloseStreams()
	}
}

// ready returns an error when no call can reach the engine.
func (c *Client) ready(ctx context.Context) error {
	if c.open.Err() != nil {
		return errClientClosed
	}
	defer c.engine.lock()()
	if c.engine.down {
		return &net.OpError{Op: "dial", Net: "unix", Err: syscall.ECONNREFUSED}
	}
	return ctx.Err()
}

// call makes a call that returns an object.
func call[T any](ctx context.Context, c *Client, do func() (T, error)) (T, error) {
	if err := c.ready(ctx); err != nil {
		var none T
		return none, err
	}
	return do()
}

// command makes a call that returns nothing.
func (c *Client) command(ctx context.Context, do func() error) error {
	if err := c.ready(ctx); err != nil {
		return err
	}
	return do()
}

// Connect implements [docker.API].
func (c *Client) Connect(ctx context.Context) (docker.Info, error) {
	return call(ctx, c, func() (docker.Info, error) {
		version, api := c.engine.Version()
		return docker.Info{Version: version, APIVersion: api, OSType: "linux", Arch: "amd64", SystemTime: c.engine.Now()}, nil
	})
}

// Ping implements [docker.API].
func (c *Client) Ping(ctx context.Context) error { return c.ready(ctx) }

// Events implements [docker.API].
func (c *Client) Events(ctx context.Context, since time.Time) (<-chan docker.Event, <-chan error) {
	out, ended := make(chan docker.Event), make(chan error, 1)
	if err := c.ready(ctx); err != nil {
		ended <- err
		return out, ended
	}
	s := c.engine.Subscribe(since, time.Time{}, nil)
	go func() {
		defer s.Close()
		ended <- c.stream(ctx, s, out)
	}()
	return out, ended
}

func (c *Client) stream(ctx context.Context, s *Subscription, out chan<- docker.Event) error {
	for {
		select {
		case <-s.Ready():
		case <-ctx.Done():
			return ctx.Err()
		case <-c.open.Done():
			return errClientClosed
		}
		messages, err := s.Take()
		for _, m := range messages {
			event, relevant := docker.MapEvent(m)
			if !relevant {
				continue
			}
			select {
			case out <- event:
			case <-ctx.Done():
				return ctx.Err()
			case <-c.open.Done():
				return errClientClosed
			}
		}
		if err != nil {
			return err
		}
	}
}

// ListContainers implements [docker.API].
func (c *Client) ListContainers(ctx context.Context) ([]string, error) {
	return call(ctx, c, func() ([]string, error) { return c.engine.ContainerIDs(), nil })
}

// Container implements [docker.API].
func (c *Client) Container(ctx context.Context, id string) (*containersv1.Container, error) {
	return call(ctx, c, func() (*containersv1.Container, error) {
		found, err := c.engine.Container(id)
		if err != nil {
			return nil, err
		}
		return found.Mirror(), nil
	})
}

// ListImages implements [docker.API].
func (c *Client) ListImages(ctx context.Context) ([]docker.ListedImage, error) {
	return call(ctx, c, func() ([]docker.ListedImage, error) {
		var out []docker.ListedImage
		for _, img := range c.engine.Images() {
			if !img.Hidden {
				out = append(out, docker.ListedImage{ID: img.ID, Tags: img.Tags, Digests: img.Mirrors()[0].Status.RepoDigests})
			}
		}
		return out, nil
	})
}

// Images implements [docker.API].
func (c *Client) Images(ctx context.Context, ref string) ([]*containersv1.Image, error) {
	return call(ctx, c, func() ([]*containersv1.Image, error) {
		img, err := c.engine.Image(ref)
		if err != nil {
			return nil, err
		}
		return img.Mirrors(), nil
	})
}

// ListVolumes implements [docker.API].
func (c *Client) ListVolumes(ctx context.Context) ([]*containersv1.Volume, error) {
	return call(ctx, c, func() ([]*containersv1.Volume, error) {
		var out []*containersv1.Volume
		for _, v := range c.engine.Volumes() {
			out = append(out, v.Mirror())
		}
		return out, nil
	})
}

// Volume implements [docker.API].
func (c *Client) Volume(ctx context.Context, name string) (*containersv1.Volume, error) {
	return call(ctx, c, func() (*containersv1.Volume, error) {
		v, err := c.engine.Volume(name)
		if err != nil {
			return nil, err
		}
		return v.Mirror(), nil
	})
}

// ListNetworks implements [docker.API].
func (c *Client) ListNetworks(ctx context.Context) ([]*containersv1.Network, error) {
	return call(ctx, c, func() ([]*containersv1.Network, error) {
		var out []*containersv1.Network
		for _, n := range c.engine.Networks() {
			out = append(out, n.Mirror())
		}
		return out, nil
	})
}

// Network implements [docker.API].
func (c *Client) Network(ctx context.Context, id string) (*containersv1.Network, error) {
	return call(ctx, c, func() (*containersv1.Network, error) {
		n, err := c.engine.Network(id)
		if err != nil {
			return nil, err
		}
		return n.Mirror(), nil
	})
}

// StartContainer implements [docker.API].
func (c *Client) StartContainer(ctx context.Context, id string) error {
	return c.command(ctx, func() error { return c.engine.StartContainer(id) })
}

// StopContainer implements [docker.API].
func (c *Client) StopContainer(ctx context.Context, id string) error {
	return c.command(ctx, func() error { return c.engine.StopContainer(ctx, id) })
}

// UnpauseContainer implements [docker.API].
func (c *Client) UnpauseContainer(ctx context.Context, id string) error {
	return c.command(ctx, func() error { return c.engine.UnpauseContainer(id) })
}

// RemoveContainer implements [docker.API].
func (c *Client) RemoveContainer(ctx context.Context, id string, force bool) error {
	return c.command(ctx, func() error { return c.engine.RemoveContainer(id, force) })
}

// RemoveImage implements [docker.API].
func (c *Client) RemoveImage(ctx context.Context, ref string) error {
	return c.command(ctx, func() error { return c.engine.RemoveImage(ref, false) })
}

// RemoveVolume implements [docker.API].
func (c *Client) RemoveVolume(ctx context.Context, name string) error {
	return c.command(ctx, func() error { return c.engine.RemoveVolume(name, false) })
}

// RemoveNetwork implements [docker.API].
func (c *Client) RemoveNetwork(ctx context.Context, id string) error {
	return c.command(ctx, func() error { return c.engine.RemoveNetwork(id) })
}

// Close implements [docker.API].
func (c *Client) Close() error {
	c.close()
	return nil
}
