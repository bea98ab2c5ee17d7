// Package drivertest is the conformance suite of drivers: the contract of
// vm.Driver, law by law, on a real engine. A driver that passes can be handed
// to the VM actor, which relies on these laws and on nothing else.
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

// callDeadline bounds every call of a driver in the suite but Start, for which
// the driver says itself how long it takes, and gets startSlack on top.
const (
	callDeadline = 70 * time.Second
	startSlack   = 10 * time.Second
)

// Fixture is one engine of its own, with what the suite must be able to do to it
// behind the driver's back.
type Fixture struct {
	// New returns another Driver value for the same engine, as a daemon that was
	// restarted would have.
	New func() vm.Driver
	// Spec that the driver carries out.
	Spec messages.VMSpec

	// The rest is for managed drivers only.

	// PID of the engine's process as the machine sees it; 0 when there is none.
	PID func() int
	// Kill ends the engine's process with SIGKILL.
	Kill func(t *testing.T)
	// Spoil makes what the driver has recorded point at a living process that is
	// not its engine, as a recycled pid does. It is called while nothing runs.
	Spoil func(t *testing.T)
	// Put stores something in the engine at endpoint, Has is whether it is there.
	Put func(t *testing.T, endpoint string)
	Has func(t *testing.T, endpoint string) bool
	// Running names whatever of the engine is active on the machine: processes,
	// mounts, interfaces, sockets. Everything names files and the rest as well.
	Running    func() []string
	Everything func() []string
}

// Run checks every law. fresh returns an engine that was never started, and
// takes care of its removal.
func Run(t *testing.T, fresh func(*testing.T) Fixture) {
	laws := map[string]func(*testing.T, Fixture){
		"available says why":                     available,
		"start brings up what answers":           startAnswers,
		"a wait ends with its context":           waitEnds,
		"stop and delete of nothing is no error": stopNothing,
	}
	if f := fresh(t); f.New().Managed() {
		maps.Copy(laws, managedLaws())
	} else {
		laws["an engine that is not managed is left alone"] = leftAlone
	}
	for _, name := range sorted(laws) {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) { laws[name](t, fresh(t)) })
	}
}

func managedLaws() map[string]func(*testing.T, Fixture) {
	return map[string]func(*testing.T, Fixture){
		"start twice adopts":                       startTwice,
		"stop leaves nothing running":              stopLeavesNothing,
		"a restart keeps data":                     restartKeepsData,
		"a killed engine is noticed and recovered": killed,
		"a cancelled start can be stopped":         cancelledStart,
		"a stale state is recognised":              staleState,
		"a new driver value adopts and stops":      newValueAdopts,
		"delete leaves nothing":                    deleteLeavesNothing,
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
		t.Error("Start told no phase")
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

func leftAlone(t *testing.T, f Fixture) {
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
		t.Error("what was stored is gone after a stop and a start")
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
		t.Errorf("Wait = %v, want how the engine ended", err)
	}
	seen, err := d.Inspect(ctx)
	if err != nil || seen.Presence == vm.Present {
		t.Errorf("Inspect = %+v, %v; a killed engine is not present", seen, err)
	}
	ping(t, d, start(t, d, f.Spec, ignore))
	inspect(t, d, vm.Present)
}

// cancelledStart cancels at each phase in turn, until a start gets through.
func cancelledStart(t *testing.T, f Fixture) {
	for phase := 1; ; phase++ {
		d := f.New()
		ctx, cancel := context.WithCancel(t.Context())
		var told phases
		_, err := d.Start(ctx, f.Spec, func(text string) {
			if told.add(text); len(told.all()) == phase {
				cancel()
			}
		})
		reached := len(told.all()) >= phase
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
		t.Error("what was stored before a delete is there after it")
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

// stopped is Stop without its note.
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

// phases collects what Start tells, from any goroutine.
type phases struct {
	mu   sync.Mutex
	told []string
}

func (p *phases) add(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, text)
}

func (p *phases) all() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.told)
}

func ignore(string) {}

func sorted(laws map[string]func(*testing.T, Fixture)) []string {
	names := make([]string, 0, len(laws))
	for name := range laws {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
