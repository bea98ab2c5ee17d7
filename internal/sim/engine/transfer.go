package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/containerd/errdefs"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	containerengine "github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
)

const (
	// silence is how long a transfer receives nothing until its client gives up.
	silence = 2 * time.Minute
	// longestStep is how long a step of the transfer of a layer takes at most.
	longestStep = 2 * time.Second
)

// script is what happens in a transfer.
type script struct {
	dice *fate.Dice
	// fails is the step at which the registry fails, hangs the one at which nothing
	// more is received; 0 for none.
	fails, hangs int
}

// newScript draws what happens in a transfer. An image has about ten steps.
func (c *Client) newScript(verb, ref string) *script {
	s := &script{dice: c.fates.Draw("transfer " + c.who + verb + " " + ref)}
	switch s.dice.N(10) {
	case 0:
		s.fails = 1 + s.dice.N(10)
	case 1:
		s.hangs = 1 + s.dice.N(10)
	}
	return s
}

// PullImage implements [docker.API].
func (c *Client) PullImage(ctx context.Context, image containerengine.PullSpec, with containerengine.Credentials, report func(containerengine.Layer)) error {
	return c.transfer(ctx, "pull", image.Ref, report, func(ctx context.Context, report func(containerengine.Layer)) error {
		_, err := c.model.PullFrom(ctx, image, with, report)
		return err
	})
}

// PushImage implements [docker.API].
func (c *Client) PushImage(ctx context.Context, ref string, with containerengine.Credentials, report func(containerengine.Layer)) (digest string, err error) {
	err = c.transfer(ctx, "push", ref, report, func(ctx context.Context, report func(containerengine.Layer)) (err error) {
		digest, err = c.model.PushTo(ctx, ref, with, report)
		return err
	})
	return digest, err
}

// transfer makes a pull or a push, which takes a while. It ends with its client, as in a
// real engine.
func (c *Client) transfer(ctx context.Context, verb, ref string, report func(containerengine.Layer),
	move func(context.Context, func(containerengine.Layer)) error,
) error {
	s := c.newScript(verb, ref)
	return c.command(ctx, verb, containersv1.KindImage, ref, func() error {
		ctx, end := c.process.Bind(ctx)
		defer end()
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		steps := 0
		return move(ctx, func(layer containerengine.Layer) {
			steps++
			if s.hangs == steps && c.fates.Wait(ctx, silence) == nil {
				cancel(fmt.Errorf("simulated: %s %s: nothing was received for %s", verb, ref, silence))
			}
			if s.fails == steps {
				cancel(errors.New("simulated: the registry failed"))
			}
			if c.fates.Wait(ctx, s.dice.Between(time.Millisecond, longestStep)) == nil {
				report(layer)
			}
		})
	})
}

// TagImage implements [docker.API].
func (c *Client) TagImage(ctx context.Context, image, tag string) error {
	return c.command(ctx, "tag", containersv1.KindImage, image, func() error { return c.model.Tag(image, tag) })
}

// PruneContainer implements [docker.API].
func (c *Client) PruneContainer(ctx context.Context, id string) error {
	return c.command(ctx, "prune", containersv1.KindContainer, id, func() error { return c.model.RemoveContainer(id, false) })
}

// PruneBuildCache implements [docker.API].
func (c *Client) PruneBuildCache(ctx context.Context, id string) error {
	return c.call(ctx, "prune", id, func() error {
		if !c.model.PruneBuildCache(id) {
			return fmt.Errorf("record %s of the build cache is in use: %w", id, errdefs.ErrConflict)
		}
		return nil
	})
}

// Inventory implements [docker.API].
func (c *Client) Inventory(ctx context.Context, _ []containersv1.Kind) (containerengine.Inventory, error) {
	return read(ctx, c, "measure", "", func() (containerengine.Inventory, error) { return c.model.Inventory(), nil })
}
