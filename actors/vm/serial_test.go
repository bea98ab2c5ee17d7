package vm

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// slow is a driver whose Start returns a second after its context ends.
type slow struct {
	*fakeDriver
	starting bool
	overlaps int
}

func (s *slow) Start(ctx context.Context, _ messages.VMSpec, _ func(string)) (string, error) {
	s.starting = true
	<-ctx.Done()
	time.Sleep(time.Second)
	s.starting = false
	return "", ctx.Err()
}

func (s *slow) Stop(context.Context, func(string)) (string, error) {
	if s.starting {
		s.overlaps++
	}
	return "", nil
}

func TestSerialCallsDoNotOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{fakeDriver: newFake(appv1.DriverLima)}
		drivers := Serial(Serial([]Driver{s}))
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _, _ = drivers[0].Start(ctx, lima, func(string) {}) }()
		synctest.Wait()
		cancel()
		short, done := context.WithTimeout(t.Context(), time.Millisecond)
		defer done()
		if _, err := drivers[0].Stop(short, func(string) {}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Stop = %v", err)
		}
		if err := Stop(t.Context(), drivers, func(string) {}, func(appv1.DriverName, string) {}); err != nil || s.overlaps != 0 {
			t.Errorf("Stop = %v, %d overlaps", err, s.overlaps)
		}
	})
}
