package vm

import (
	"context"
	"fmt"

	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// Serial returns the drivers such that Start, Stop and Delete of one of them do
// not overlap, as Driver demands of its caller. An actor that is restarted, and a
// daemon that ends, cancel a call and do not wait for its end, so those that come
// after them need it. Whoever shares an engine must share what this returns.
func Serial(drivers []Driver) []Driver {
	all := make([]Driver, len(drivers))
	for i, d := range drivers {
		all[i] = d
		if _, done := d.(*serial); !done {
			all[i] = &serial{Driver: d, turn: make(chan struct{}, 1)}
		}
	}
	return all
}

// serial is a driver of which one call changes something at a time. turn is full
// while one does.
type serial struct {
	Driver
	turn chan struct{}
}

// take waits for the turn of a call. A call whose context ends before changes
// nothing.
func (s *serial) take(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for an earlier call of driver %s to end: %w", s.Name(), ctx.Err())
	}
}

func (s *serial) give() { <-s.turn }

// Start implements Driver.
func (s *serial) Start(ctx context.Context, spec messages.VMSpec, progress func(string)) (string, error) {
	if err := s.take(ctx); err != nil {
		return "", err
	}
	defer s.give()
	return s.Driver.Start(ctx, spec, progress)
}

// Repair implements Driver.
func (s *serial) Repair(ctx context.Context) error {
	if err := s.take(ctx); err != nil {
		return err
	}
	defer s.give()
	return s.Driver.Repair(ctx)
}

// Stop implements Driver.
func (s *serial) Stop(ctx context.Context, progress func(string)) (string, error) {
	if err := s.take(ctx); err != nil {
		return "", err
	}
	defer s.give()
	return s.Driver.Stop(ctx, progress)
}

// Delete implements Driver.
func (s *serial) Delete(ctx context.Context) error {
	if err := s.take(ctx); err != nil {
		return err
	}
	defer s.give()
	return s.Driver.Delete(ctx)
}
