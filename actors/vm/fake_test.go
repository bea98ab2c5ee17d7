package vm

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// fakeDriver is a driver whose engine is a few fields. It fulfils the contract of
// Driver. Tests make it slow, make it fail, or end its engine.
type fakeDriver struct {
	name    appv1.DriverName
	managed bool

	mu            sync.Mutex
	presence      Presence
	spec          messages.VMSpec
	used          time.Time     // when its data was last used
	dead          chan struct{} // closed when the running engine dies
	calls         []string
	missing       error         // of Available
	checks        int           // of Available
	availableTime time.Duration // that Available takes
	startErr      error         // of Start
	stopErr       error         // of Stop
	pingErr       error         // of Ping
	pingNote      string        // of Ping
	stopNote      string        // of Stop
	startTime     time.Duration // that Start takes
	stopTime      time.Duration // that Stop takes

	stopWithin time.Duration // of StopWithin
	repairErr  error         // of Repair
}

func newFake(name appv1.DriverName) *fakeDriver {
	return &fakeDriver{name: name, managed: name != appv1.DriverExternal, presence: Absent, startTime: time.Second, stopTime: time.Second, stopWithin: 30 * time.Second}
}

func (f *fakeDriver) with(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fakeDriver) called(call string) { f.with(func() { f.calls = append(f.calls, call) }) }

// history returns the calls since the last time, without Inspect and Ping.
func (f *fakeDriver) history() (calls []string) {
	f.with(func() { calls, f.calls = f.calls, nil })
	return calls
}

// put makes an engine run that the actor did not start.
func (f *fakeDriver) put(presence Presence, spec messages.VMSpec) {
	f.with(func() { f.presence, f.spec, f.dead = presence, spec, make(chan struct{}) })
}

// runs reports whether the engine is Present.
func (f *fakeDriver) runs() (up bool) {
	f.with(func() { up = f.presence == Present })
	return up
}

// die crashes the engine.
func (f *fakeDriver) die() {
	f.with(func() { f.presence = Broken; close(f.dead) })
}

func (f *fakeDriver) Name() appv1.DriverName { return f.name }
func (f *fakeDriver) Managed() bool          { return f.managed }

func (f *fakeDriver) Available(ctx context.Context, _ messages.VMSpec) (string, error) {
	var wait time.Duration
	var missing error
	f.with(func() { wait, missing, f.checks = f.availableTime, f.missing, f.checks+1 })
	select {
	case <-time.After(wait):
		return "it is a fake", missing
	case <-ctx.Done():
		return "", fmt.Errorf("check: %w", ctx.Err())
	}
}

func (f *fakeDriver) Inspect(context.Context) (Observed, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.managed {
		return Observed{Presence: Absent}, nil
	}
	return Observed{Presence: f.presence, Spec: f.spec, Used: f.used}, nil
}

func (f *fakeDriver) Start(ctx context.Context, spec messages.VMSpec, progress func(string)) (string, error) {
	f.called("start " + string(engineOf(spec)))
	progress("starting a fake")
	var wait time.Duration
	f.with(func() { wait = f.startTime })
	select {
	case <-time.After(wait):
	case <-ctx.Done():
		f.called("start cancelled")
		return "", fmt.Errorf("start: %w", ctx.Err())
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.startErr != nil {
		return "", f.startErr
	}
	if f.presence != Present {
		f.presence, f.spec, f.dead, f.used = Present, spec, make(chan struct{}), time.Now()
	}
	return "unix:///" + string(f.name), nil
}

func (f *fakeDriver) Wait(ctx context.Context) error {
	var dead chan struct{}
	f.with(func() { dead = f.dead })
	select {
	case <-dead:
		return errors.New("it crashed; last lines of its log: boom")
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *fakeDriver) Ping(context.Context, string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.pingNote, f.pingErr
}

func (f *fakeDriver) Repair(context.Context) error {
	f.called("repair")
	var failure error
	f.with(func() { failure = f.repairErr })
	if failure == nil {
		f.with(func() { f.pingErr = nil })
		f.die()
	}
	return failure
}

func (f *fakeDriver) StopWithin() (limit time.Duration) {
	f.with(func() { limit = f.stopWithin })
	return limit
}

func (f *fakeDriver) Stop(ctx context.Context, progress func(string)) (string, error) {
	f.called("stop")
	progress("waiting for a fake container")
	var wait time.Duration
	f.with(func() { wait = f.stopTime })
	select {
	case <-time.After(wait):
	case <-ctx.Done():
		return "", ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopErr != nil {
		return "", f.stopErr
	}
	f.presence = Absent
	return f.stopNote, nil
}

func (f *fakeDriver) StartWithin(messages.VMSpec) time.Duration { return 2 * time.Minute }

func (f *fakeDriver) Delete(ctx context.Context) error {
	_, err := f.Stop(ctx, func(string) {})
	return err
}
