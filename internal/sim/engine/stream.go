package engine

import (
	"context"
	"errors"
	"io"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
)

// remembers is how many events an engine replays.
const remembers = 256

var errClosed = errors.New("simulated: the engine closed the stream")

// EventRates are the probabilities of what can happen to an event.
type EventRates struct {
	// Lose: it is not told. Double: it is told twice. Late: it is told seconds
	// late, after those that follow it. Break: the stream ends at it.
	Lose, Double, Late, Break float64
}

// stream is one subscription.
type stream struct {
	queue []docker.Event
	ended error
	// ready has room for one signal.
	ready chan struct{}
}

func (s *stream) wake() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

func (m *Model) emit(kind containersv1.Kind, id, action string) {
	m.send(docker.Event{Kind: kind, ID: id, Action: action})
}

// emitTag tells that an image has a tag from now on.
func (m *Model) emitTag(id, tag string) {
	m.send(docker.Event{Kind: containersv1.KindImage, ID: id, Action: "tag", Tag: tag})
}

// emitStep sends that the container of a step of a classic build is gone.
func (m *Model) emitStep(id string) {
	m.send(docker.Event{Kind: containersv1.KindContainer, ID: id, Action: docker.ActionDestroy, ByImageID: true})
}

func (m *Model) send(ev docker.Event) {
	ev.Time = time.Now().Add(m.offset).UTC()
	m.remembered = append(m.remembered, ev)
	if len(m.remembered) > remembers {
		m.remembered = m.remembered[1:]
	}
	for s := range m.streams {
		s.queue = append(s.queue, ev)
		s.wake()
	}
}

func (m *Model) endStreams(err error) {
	for s := range m.streams {
		s.ended = err
		s.wake()
		delete(m.streams, s)
	}
}

// CloseStreams ends every event stream and nothing else.
func (m *Model) CloseStreams() { m.with(func() { m.endStreams(io.ErrUnexpectedEOF) }) }

// subscribe begins a stream with what is remembered since a time.
func (m *Model) subscribe(since time.Time) *stream {
	s := &stream{ready: make(chan struct{}, 1)}
	for _, ev := range m.remembered {
		if !ev.Time.Before(since) {
			s.queue = append(s.queue, ev)
		}
	}
	s.wake()
	m.streams[s] = struct{}{}
	return s
}

// take is the next event, if any, and whether the stream is over.
func (m *Model) take(s *stream) (ev *docker.Event, ended error) {
	m.with(func() {
		if len(s.queue) > 0 {
			ev, s.queue = &s.queue[0], s.queue[1:]
			return
		}
		ended = s.ended
	})
	return ev, ended
}

// Events implements [docker.API].
func (c *Client) Events(ctx context.Context, since time.Time) (<-chan docker.Event, <-chan error) {
	events, ended := make(chan docker.Event, 1024), make(chan error, 1)
	go func() {
		ctx, cancel := c.process.Bind(ctx)
		defer cancel()
		ended <- c.stream(ctx, since, events)
	}()
	return events, ended
}

func (c *Client) stream(ctx context.Context, since time.Time, to chan<- docker.Event) error {
	var s *stream
	subscribing, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	err := c.link.Call(subscribing, c.process, "events", "", func() error {
		c.model.with(func() { s = c.model.subscribe(since) })
		return nil
	})
	if s != nil {
		defer c.model.with(func() { delete(c.model.streams, s) })
	}
	if err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			c.fates.Pass(time.Microsecond)
			return ctx.Err()
		case <-s.ready:
		}
		for {
			ev, ended := c.model.take(s)
			if ended != nil {
				return ended
			}
			if ev == nil {
				break
			}
			if err := c.deliver(ctx, *ev, to); err != nil {
				return err
			}
		}
	}
}

// deliver hands one event on, or does not.
func (c *Client) deliver(ctx context.Context, ev docker.Event, to chan<- docker.Event) error {
	dice, rates := c.fates.Draw("event "+string(ev.Kind)+ev.ID), c.events()
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
