package vm

import (
	"context"
	"fmt"

	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// Serial wraps drivers so that calls of Start, Repair, Stop and Delete of one driver
// do not overlap. A restarted actor needs this, because its predecessor cancels a
// call without waiting for its end. All users of an engine must share the result.
func Serial(drivers []Driver) []Driver {
	all := make([]Driver, len(drivers))
	for i, d := range drivers {
		all[i] = d
		if _, done := d.(*serial); !done {
			all[i] = &serial{Driver: d, lock: make(chan struct{}, 1)}
		}
	}
	return all
}

// serial is a driver with a lock.
type serial struct {
	Driver
	// lock is full while a call holds it.
	lock chan struct{}
}

// acquire waits for the lock until ctx ends.
func (s *serial) acquire(ctx context.Context) error {
	select {
	case s.lock <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for an earlier call of driver %s to end: %w", s.Name(), ctx.Err())
	}
}

func (s *serial) release() { <-s.lock }

// Start implements Driver.
func (s *serial) Start(ctx context.Context, spec messages.VMSpec, progress func(string)) (string, error) {
	if err := s.acquire(ctx); err != nil {
		return "", err
	}
	defer s.release()
	return s.Driver.Start(ctx, spec, progress)
}

// Repair implements Driver.
func (s *serial) Repair(ctx context.Context) error {
	if err := s.acquire(ctx); err != nil {
		return err
	}
	defer s.release()
	return s.Driver.Repair(ctx)
}

// Stop implements Driver.
func (s *serial) Stop(ctx context.Context, progress func(string)) (string, error) {
	if err := s.acquire(ctx); err != nil {
		return "", err
	}
	defer s.release()
	return s.Driver.Stop(ctx, progress)
}

// Delete implements Driver.
func (s *serial) Delete(ctx context.Context) error {
	if err := s.acquire(ctx); err != nil {
		return err
	}
	defer s.release()
	return s.Driver.Delete(ctx)
}
