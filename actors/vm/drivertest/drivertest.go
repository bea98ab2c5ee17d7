// Package drivertest is the conformance suite of drivers. It checks the contract of
// vm.Driver on a real engine.
//
// Reading map: drivertest.go has the suite, engine.go helpers for Docker.
package drivertest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// callDeadline limits every call of a driver in the suite except Start, which gets the
// driver's own limit plus startSlack.
const (
	callDeadline = 70 * time.Second
	startSlack   = 10 * time.Second
)

// Fixture is a driver with an engine, and what the suite does to that engine without
// the driver.
type Fixture struct {
	// New returns another Driver value for the same engine, as after a restart of the
	// daemon.
	New func() vm.Driver
	// Spec is the spec for the driver.
	Spec messages.VMSpec

	// The rest is for managed drivers only.

	// PID returns the pid of the engine's process, or 0.
	PID func() int
	// Kill ends the engine's process with SIGKILL.
	Kill func(t *testing.T)
	// Spoil changes the driver's record so that it names a running process that is
	// not its engine, like a recycled pid. It is called while no engine runs.
	Spoil func(t *testing.T)
	// Put stores an object in the engine at endpoint, and Has reports whether it is
	// there.
	Put func(t *testing.T, endpoint string)
	Has func(t *testing.T, endpoint string) bool
	// Running lists what of the engine is active on the machine: processes, mounts,
	// interfaces, sockets. Everything also lists files.
	Running    func() []string
	Everything func() []string
}

// Run runs the suite. fresh returns an engine that was never started, and registers
// its removal.
func Run(t *testing.T, fresh func(*testing.T) Fixture) {
	tests := map[string]func(*testing.T, Fixture){
		"available returns reason":       available,
		"started engine answers":         startAnswers,
		"wait ends with context":         waitEnds,
		"stop and delete without engine": stopNothing,
	}
	if f := fresh(t); f.New().Managed() {
		maps.Copy(tests, managedTests())
	} else {
		tests["stop keeps unmanaged engine"] = keepsUnmanaged
	}
	for _, name := range sorted(tests) {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) { tests[name](t, fresh(t)) })
	}
}

func managedTests() map[string]func(*testing.T, Fixture) {
	return map[string]func(*testing.T, Fixture){
		"second start adopts":            startTwice,
		"stop leaves nothing running":    stopLeavesNothing,
		"restart keeps data":             restartKeepsData,
		"killed engine is recovered":     killed,
		"cancelled start can be stopped": cancelledStart,
		"stale state is ignored":         staleState,
		"new driver adopts and stops":    newValueAdopts,
		"delete leaves nothing":          deleteLeavesNothing,
	}
}

func available(t *testing.T, f Fixture) {
	ctx, cancel := bounded(t)
	defer cancel()
	reason, err := f.New().Available(ctx, f.Spec)
	if err != nil || reason == "" {
		t.Fatalf("Available = %q, %v; want a reason", reason, err)
	}
}

func startAnswers(t *testing.T, f Fixture) {
	d := f.New()
	inspect(t, d, vm.Absent)
	var phases phases
	endpoint := start(t, d, f.Spec, phases.add)
	if !strings.Contains(endpoint, "://") {
		t.Errorf("endpoint = %q, want a URL", endpoint)
	}
	ping(t, d, endpoint)
	if len(phases.all()) == 0 {
		t.Error("Start reported no phase")
	}
	if d.Managed() {
		inspect(t, d, vm.Present)
	}
}

func waitEnds(t *testing.T, f Fixture) {
	d := f.New()
	start(t, d, f.Spec, ignore)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Wait(ctx) }()
	cancel()
	if err := receive(t, ended); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait = %v, want the context's error", err)
	}
}

func stopNothing(t *testing.T, f Fixture) {
	ctx, cancel := bounded(t)
	defer cancel()
	d := f.New()
	if err := errors.Join(stopped(ctx, d), stopped(ctx, d), d.Delete(ctx), d.Delete(ctx)); err != nil {
		t.Errorf("stop and delete with no engine: %v", err)
	}
}

func keepsUnmanaged(t *testing.T, f Fixture) {
	ctx, cancel := bounded(t)
	defer cancel()
	d := f.New()
	endpoint := start(t, d, f.Spec, ignore)
	inspect(t, d, vm.Absent)
	if err := errors.Join(stopped(ctx, d), d.Delete(ctx)); err != nil {
		t.Errorf("stop and delete: %v", err)
	}
	ping(t, d, endpoint)
}

func startTwice(t *testing.T, f Fixture) {
	d := f.New()
	first := start(t, d, f.Spec, ignore)
	pid := f.PID()
	if second := start(t, d, f.Spec, ignore); second != first || f.PID() != pid {
		t.Errorf("second start: %s with pid %d, want %s with pid %d", second, f.PID(), first, pid)
	}
}

func stopLeavesNothing(t *testing.T, f Fixture) {
	d := f.New()
	start(t, d, f.Spec, ignore)
	stop(t, d)
	inspect(t, d, vm.Absent)
	if left := f.Running(); len(left) > 0 {
		t.Errorf("left after a stop: %v", left)
	}
	stop(t, d)
}

func restartKeepsData(t *testing.T, f Fixture) {
	d := f.New()
	f.Put(t, start(t, d, f.Spec, ignore))
	stop(t, d)
	if !f.Has(t, start(t, d, f.Spec, ignore)) {
		t.Error("the stored object is gone after a stop and a start")
	}
}

func killed(t *testing.T, f Fixture) {
	d := f.New()
	start(t, d, f.Spec, ignore)
	ctx, cancel := bounded(t)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- d.Wait(ctx) }()
	f.Kill(t)
	if err := receive(t, ended); err == nil || ctx.Err() != nil {
		t.Errorf("Wait = %v, want the cause of the end", err)
	}
	seen, err := d.Inspect(ctx)
	if err != nil || seen.Presence == vm.Present {
		t.Errorf("Inspect = %+v, %v; a killed engine is not present", seen, err)
	}
	ping(t, d, start(t, d, f.Spec, ignore))
	inspect(t, d, vm.Present)
}

// cancelledStart cancels a start in each phase in turn, until one succeeds.
func cancelledStart(t *testing.T, f Fixture) {
	for phase := 1; ; phase++ {
		d := f.New()
		ctx, cancel := context.WithCancel(t.Context())
		var reported phases
		_, err := d.Start(ctx, f.Spec, func(text string) {
			if reported.add(text); len(reported.all()) == phase {
				cancel()
			}
		})
		reached := len(reported.all()) >= phase
		cancel()
		if reached && err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled in phase %d: %v, want the context's error", phase, err)
		}
		stop(t, f.New())
		if left := f.Running(); len(left) > 0 {
			t.Errorf("left after a start that was cancelled in phase %d and a stop: %v", phase, left)
		}
		if !reached {
			return
		}
	}
}

func staleState(t *testing.T, f Fixture) {
	d := f.New()
	start(t, d, f.Spec, ignore)
	stop(t, d)
	f.Spoil(t)
	inspect(t, f.New(), vm.Absent)
	stop(t, f.New())
	f.Spoil(t)
	ping(t, d, start(t, f.New(), f.Spec, ignore))
}

func newValueAdopts(t *testing.T, f Fixture) {
	start(t, f.New(), f.Spec, ignore)
	pid := f.PID()
	second := f.New()
	inspect(t, second, vm.Present)
	endpoint := start(t, second, f.Spec, ignore)
	ping(t, second, endpoint)
	if f.PID() != pid {
		t.Errorf("pid = %d, want the adopted %d", f.PID(), pid)
	}
	stop(t, f.New())
	inspect(t, second, vm.Absent)
}

func deleteLeavesNothing(t *testing.T, f Fixture) {
	d := f.New()
	f.Put(t, start(t, d, f.Spec, ignore))
	ctx, cancel := bounded(t)
	defer cancel()
	for range 2 {
		if err := d.Delete(ctx); err != nil {
			t.Fatalf("Delete: %v", err)
		}
		if left := f.Everything(); len(left) > 0 {
			t.Errorf("left after a delete: %v", left)
		}
	}
	if f.Has(t, start(t, d, f.Spec, ignore)) {
		t.Error("the stored object still exists after a delete")
	}
}

func bounded(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), callDeadline)
}

func start(t *testing.T, d vm.Driver, spec messages.VMSpec, progress func(string)) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d.StartWithin(spec)+startSlack)
	defer cancel()
	endpoint, err := d.Start(ctx, spec, progress)
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	return endpoint
}

func stop(t *testing.T, d vm.Driver) {
	t.Helper()
	ctx, cancel := bounded(t)
	defer cancel()
	if _, err := d.Stop(ctx, ignore); err != nil {
		t.Fatalf("Stop: %v", err)
	}
}

// stopped calls Stop and drops the note.
func stopped(ctx context.Context, d vm.Driver) error {
	_, err := d.Stop(ctx, ignore)
	return err
}

func ping(t *testing.T, d vm.Driver, endpoint string) {
	t.Helper()
	ctx, cancel := bounded(t)
	defer cancel()
	if _, err := d.Ping(ctx, endpoint); err != nil {
		t.Errorf("Ping: %v", err)
	}
}

func inspect(t *testing.T, d vm.Driver, want vm.Presence) {
	t.Helper()
	ctx, cancel := bounded(t)
	defer cancel()
	if seen, err := d.Inspect(ctx); err != nil || seen.Presence != want {
		t.Errorf("Inspect = %+v, %v; want %s", seen, err, want)
	}
}

func receive(t *testing.T, from <-chan error) error {
	t.Helper()
	select {
	case err := <-from:
		return err
	case <-time.After(callDeadline):
		t.Fatal("Wait did not return")
		return nil
	}
}

// phases collects the progress of Start. It is safe for concurrent use.
type phases struct {
	mu    sync.Mutex
	texts []string
}

func (p *phases) add(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.texts = append(p.texts, text)
}

func (p *phases) all() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.texts)
}

func ignore(string) {}

func sorted(tests map[string]func(*testing.T, Fixture)) []string {
	names := make([]string, 0, len(tests))
	for name := range tests {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
