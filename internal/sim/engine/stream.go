package engine

import (
	"context"
	"io"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/memory"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
)

// EventRates are the probabilities of what can happen to an event.
type EventRates struct {
	// Lose: it is not sent. Double: it is sent twice. Late: it is sent seconds
	// late, after those that follow it. Break: the stream ends at it.
	Lose, Double, Late, Break float64
}

// Events implements [docker.API].
func (c *Client) Events(ctx context.Context, since time.Time) (<-chan docker.Event, <-chan error) {
	out, ended := make(chan docker.Event, 1024), make(chan error, 1)
	go func() {
		ctx, cancel := c.process.Bind(ctx)
		defer cancel()
		ended <- c.stream(ctx, since, out)
	}()
	return out, ended
}

func (c *Client) stream(ctx context.Context, since time.Time, to chan<- docker.Event) error {
	var s *memory.Subscription
	subscribing, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	err := c.link.Call(subscribing, c.process, "events", c.who, func() error {
		s = c.model.Subscribe(since, time.Time{}, nil)
		return nil
	})
	if s != nil {
		defer s.Close()
	}
	if err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			c.fates.Pass(time.Microsecond)
			return ctx.Err()
		case <-s.Ready():
		}
		messages, ended := s.Take()
		for _, m := range messages {
			if ev, relevant := docker.MapEvent(m); relevant {
				if err := c.deliver(ctx, ev, to); err != nil {
					return err
				}
			}
		}
		if ended != nil {
			return ended
		}
	}
}

// deliver sends one event to the client, or does not.
func (c *Client) deliver(ctx context.Context, ev docker.Event, to chan<- docker.Event) error {
	dice, rates := c.fates.Draw("event "+c.who+string(ev.Kind)+ev.ID), c.events()
	if err := c.fates.Wait(ctx, dice.Between(20*time.Microsecond, 2*time.Millisecond)); err != nil {
		return err
	}
	switch {
	case dice.Chance(rates.Break):
		return io.ErrUnexpectedEOF
	case dice.Chance(rates.Lose):
		return nil
	case dice.Chance(rates.Late):
		go c.later(ctx, dice, ev, to)
		return nil
	}
	send(to, ev)
	if dice.Chance(rates.Double) {
		go c.later(ctx, dice, ev, to)
	}
	return nil
}

func (c *Client) later(ctx context.Context, dice *fate.Dice, ev docker.Event, to chan<- docker.Event) {
	if c.fates.Wait(ctx, dice.Between(time.Millisecond, 5*time.Second)) == nil {
		send(to, ev)
	}
}

// send drops an event that a slow reader has no room for, as an engine does.
func send(to chan<- docker.Event, ev docker.Event) {
	select {
	case to <- ev:
	default:
	}
}
