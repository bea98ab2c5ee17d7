package mirror

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// acting returns a mirror whose stop, requested as an action, is in flight.
func acting(t *testing.T) (*stage, *memory, *busyEngine) {
	w, e := &memory{version: 10}, &busyEngine{stopped: make(chan struct{}), at: *at(1)}
	s := stageWith(t, w, e)
	s.store(w, withUID(resource(asks(containersv1.ActionStop)), "u1", ""))
	s.send(messages.ObjectSeen{Object: ranSince(1), AsOf: time.Now()})
	if made := e.made(); !slices.Equal(made, []string{"stop"}) {
		t.Fatalf("the engine was called for %q, want one stop", made)
	}
	if last := w.has().Status.LastAction; last.State != containersv1.ActionRunning || last.Before == nil || w.has().RequestedAction() == "" {
		t.Fatalf("during the stop the action is %+v, and the annotation %q", last, w.has().RequestedAction())
	}
	return s, w, e
}

func TestActionDuringActionFollowsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w, e := acting(t)
		next := w.has()
		asks(containersv1.ActionStart)(next)
		s.store(w, next)
		close(e.stopped)
		synctest.Wait()
		if made := e.made(); !slices.Equal(made, []string{"stop", "start"}) {
			t.Errorf("the engine was called for %q", made)
		}
		last := w.has().Status.LastAction
		if last.Action != containersv1.ActionStart || last.State != containersv1.ActionSucceeded || w.has().RequestedAction() != "" {
			t.Errorf("the last action is %+v, and the annotation %q", last, w.has().RequestedAction())
		}
	})
}

func TestSpecChangedDuringActionFollowsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w, e := acting(t)
		changed := w.has()
		wants(containersv1.StateRunning)(changed)
		s.store(w, changed)
		if made := e.made(); len(made) != 1 || w.has().Status.ObservedGeneration != 1 {
			t.Errorf("during the action: %q, generation %d observed", made, w.has().Status.ObservedGeneration)
		}
		close(e.stopped)
		synctest.Wait()
		if made := e.made(); !slices.Equal(made, []string{"stop", "start"}) || w.has().Status.ObservedGeneration != 2 {
			t.Errorf("after the action: %q, generation %d observed", made, w.has().Status.ObservedGeneration)
		}
	})
}

func TestDeleteDuringActionRemovesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w, e := acting(t)
		deleted := w.has()
		terminating(deleted)
		began := time.Now()
		s.store(w, deleted)
		if made := e.made(); !slices.Equal(made, []string{"stop", "remove"}) || time.Since(began) > 0 || w.has() != nil {
			t.Errorf("%q after %v, want the removal at once; the resource is %+v", made, time.Since(began), w.has())
		}
	})
}

// A start of a container that was stopped outside works again, without a change of the
// spec.
func TestSameActionWorksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, e := &memory{version: 10}, &busyEngine{}
		s := stageWith(t, w, e)
		s.store(w, withUID(resource(), "u1", ""))
		s.send(messages.ObjectSeen{Object: engineContainer(containersv1.ContainerExited), AsOf: time.Now()})
		for i := range 3 {
			again := w.has()
			asks(containersv1.ActionStart)(again)
			s.store(w, again)
			if made := e.made(); len(made) != i+1 || w.has().RequestedAction() != "" || w.has().Generation != 1 {
				t.Errorf("request %d: the engine was called for %q, and the annotation is %q", i, made, w.has().RequestedAction())
			}
		}
	})
}

// refusingEngine refuses every verb.
type refusingEngine struct{ busyEngine }

func (e *refusingEngine) Do(ctx context.Context, key engine.Key, verb engine.Verb) error {
	_ = e.busyEngine.Do(ctx, key, verb)
	return errors.New("Container web is not running")
}

func TestRefusedActionFailsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, e := &memory{version: 10}, &refusingEngine{}
		s := stageWith(t, w, e)
		s.store(w, withUID(resource(asks(containersv1.ActionPause)), "u1", ""))
		s.send(messages.ObjectSeen{Object: engineContainer(containersv1.ContainerExited), AsOf: time.Now()})
		time.Sleep(time.Hour)
		synctest.Wait()
		last := w.has().Status.LastAction
		if made := e.made(); !slices.Equal(made, []string{"pause"}) || last.State != containersv1.ActionFailed || last.Error != "Container web is not running" {
			t.Errorf("the engine was called for %q, and the action is %+v", made, last)
		}
		if got := s.lastSettled(t); got.Refused || got.Err != nil || w.has().RequestedAction() != "" {
			t.Errorf("settled with %+v, annotation %q", got, w.has().RequestedAction())
		}
	})
}

// A reading of a call that the end of the engine has cancelled is no sign of its return.
func TestLateReadingKeepsEngineGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w, e := acting(t)
		w.fail(true)
		s.send(messages.EngineGone{})
		w.fail(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		if made := e.made(); !slices.Equal(made, []string{"stop"}) || w.has() != nil || !s.finished() {
			t.Errorf("the engine was called for %q, and the resource is %+v", made, w.has())
		}
	})
}

// closingEngine refuses a number of calls because it shuts down. It comes back with the
// container in the next run.
type closingEngine struct {
	busyEngine

	refuses int
	run     int64
	state   containersv1.ContainerState
	// isLost is set if the first reading after a record of the run fails.
	isLost bool
	reads  int
}

func (e *closingEngine) Do(_ context.Context, _ engine.Key, verb engine.Verb) error {
	e.note(string(verb))
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.refuses == 0 {
		e.state = containersv1.ContainerExited
		return nil
	}
	e.refuses--
	e.run++
	return fmt.Errorf("%s: %w", verb, engine.ErrShuttingDown)
}

func (e *closingEngine) Get(context.Context, engine.Key) (containersv1.Mirror, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.reads++; e.isLost && e.reads == 2 {
		e.run++
		return nil, engine.ErrUnreachable
	}
	c := ranSince(e.run)
	c.Status.Status = e.state
	return c, nil
}

// An engine that shuts down has carried out nothing. The request is repeated when it is
// back, also if the container has another run by then.
func TestRequestOutlivesShutdownOfEngine(t *testing.T) {
	for name, tc := range map[string]struct {
		request func(*containersv1.Container)
		refuses int
		isLost  bool
		calls   int
		want    containersv1.ActionState
	}{
		"action":                      {asks(containersv1.ActionStop), 1, false, 2, containersv1.ActionSucceeded},
		"desired state":               {wants(containersv1.StateCreated), 1, false, 2, ""},
		"engine lost before the call": {asks(containersv1.ActionStop), 0, true, 1, containersv1.ActionSucceeded},
		"shutdown that does not end":  {asks(containersv1.ActionStop), 1000, false, maxShutdowns + 1, containersv1.ActionFailed},
	} {
		synctest.Test(t, func(t *testing.T) {
			w, e := &memory{version: 10}, &closingEngine{refuses: tc.refuses, isLost: tc.isLost, run: 1, state: containersv1.ContainerRunning}
			s := stageWith(t, w, e)
			s.store(w, withUID(resource(tc.request), "u1", ""))
			s.send(messages.ObjectSeen{Object: ranSince(1), AsOf: time.Now()})
			for range 60 {
				time.Sleep(time.Second)
				if tc.refuses < 1000 { // as an engine that is back
					object, _ := e.Get(t.Context(), engine.Key{})
					s.send(messages.ObjectSeen{Object: object, AsOf: time.Now()})
				}
			}
			synctest.Wait()
			var state containersv1.ActionState
			if last := w.has().Status.LastAction; last != nil {
				state = last.State
			}
			if made := e.made(); len(made) != tc.calls || state != tc.want {
				t.Errorf("%s: the engine was called for %q, and the action is %+v", name, made, w.has().Status.LastAction)
			}
		})
	}
}

// An engine that shuts down sends events, which are no reason to ask it again at once.
func TestEventsDuringShutdownCauseNoCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, e := &memory{version: 10}, &closingEngine{refuses: 1000, run: 1, state: containersv1.ContainerRunning}
		s := stageWith(t, w, e)
		s.store(w, withUID(resource(wants(containersv1.StateCreated)), "u1", ""))
		for range 300 {
			time.Sleep(100 * time.Millisecond)
			s.send(messages.ObjectSeen{Object: ranSince(1), AsOf: time.Now()})
		}
		if n := len(e.made()); n > maxShutdowns+1 {
			t.Errorf("%d calls in half a minute", n)
		}
	})
}
