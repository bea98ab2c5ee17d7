package mirror

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	enginememory "github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/memory"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// endlessStop is how long a container takes to stop that ignores its stop signal. Without a
// stop timeout there is no end.
const endlessStop = 2 * time.Hour

// neverStops prepares such a container.
func neverStops(e *enginememory.Engine, id string) {
	_ = e.StartContainer(id)
	_ = e.SetStopDelay(id, endlessStop)
}

func TestKillInterruptsStop(t *testing.T) {
	for name, request := range map[string]func(*containersv1.Container){
		"stop": asks(containersv1.ActionStop), "restart": asks(containersv1.ActionRestart), "spec.state": wants(containersv1.StateCreated),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPatient(t, neverStops)
				s := stageWith(t, p.server, p.model.Dial())
				since := time.Now()
				p.request("")
				requested := p.server.has()
				request(requested)
				s.store(p.server, requested)
				s.send(messages.ObjectSeen{Object: p.read(), AsOf: time.Now()})
				time.Sleep(time.Hour)
				if now := p.read().(*containersv1.Container).Status.Status; now != containersv1.ContainerRunning {
					t.Fatalf("before the kill, the container is %s", now)
				}
				killed, began := p.server.has(), time.Now()
				asks(containersv1.ActionKill)(killed)
				s.store(p.server, killed)
				if after := time.Since(began); after > 0 {
					t.Errorf("the kill took %v", after)
				}
				p.check(containersv1.ActionKill, since, "after "+name)
				if c := p.server.has(); c.Status.ObservedGeneration != c.Generation {
					t.Errorf("generation %d is observed, want %d", c.Status.ObservedGeneration, c.Generation)
				}
			})
		})
	}
}

// The process of a mirror is killed before or after any call of a stop, and of the kill
// that interrupts it. The kill is then carried out once all the same.
func TestInterruptingKillIsCarriedOutOnce(t *testing.T) {
	for _, action := range []containersv1.Action{containersv1.ActionStop, containersv1.ActionRestart, ""} {
		moment := 0
		for ; interruptedAt(t, action, moment); moment++ {
			if moment > 100 {
				t.Fatal("the kill does not end")
			}
		}
		if moment < 10 {
			t.Errorf("the kill during %q has %d moments only", action, moment)
		}
	}
}

// interruptedAt ends a mirror at a moment of a kill during an action, or during a stop that
// the spec requests, and lets the next mirror complete it. It returns false when the kill
// ended before.
func interruptedAt(t *testing.T, action containersv1.Action, moment int) (ended bool) {
	synctest.Test(t, func(t *testing.T) {
		p, since, of := newPatient(t, neverStops), time.Now(), &moments{left: moment}
		p.request(action)
		if action == "" {
			stopped := p.server.has()
			wants(containersv1.StateCreated)(stopped)
			p.server.put(stopped)
		}
		s := stageWith(t, mortalWriter{p.server, of}, mortalEngine{p.model.Dial(), of})
		s.send(messages.MirrorChanged{Object: p.server.has()})
		s.send(messages.ObjectSeen{Object: p.read(), AsOf: time.Now()})
		time.Sleep(time.Minute)
		killed := p.server.has()
		asks(containersv1.ActionKill)(killed)
		s.store(p.server, killed)
		time.Sleep(time.Minute)
		ended = of.isOver()
		p.live(&moments{left: -1}, &moments{left: -1})
		p.check(containersv1.ActionKill, since, fmt.Sprintf("at moment %d of %q", moment, action))
		time.Sleep(endlessStop) // the engine continues the stop
	})
	return ended
}

// refusesStop is an engine that refuses to stop a container that runs.
type refusesStop struct{ engine.Engine }

func (e refusesStop) Do(ctx context.Context, key engine.Key, verb engine.Verb) error {
	now, err := e.Get(ctx, key)
	if verb == engine.VerbStop && err == nil && now.(*containersv1.Container).Status.Status.IsActive() {
		return errors.New("the stop is refused")
	}
	return e.Engine.Do(ctx, key, verb)
}

// A desired state that the engine has refused is applied after a kill, without the rest of
// the pause.
func TestRefusedStateIsAppliedAfterKill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPatient(t, neverStops)
		s := stageWith(t, p.server, refusesStop{p.model.Dial()})
		p.request("")
		stopped := p.server.has()
		wants(containersv1.StateCreated)(stopped)
		s.store(p.server, stopped)
		s.send(messages.ObjectSeen{Object: p.read(), AsOf: time.Now()})
		time.Sleep(time.Hour) // the pauses have grown
		if c := p.server.has(); c.Status.ObservedGeneration == c.Generation {
			t.Fatal("the desired state is applied before the kill")
		}
		killed := p.server.has()
		asks(containersv1.ActionKill)(killed)
		s.store(p.server, killed)
		time.Sleep(time.Second)
		if c := p.server.has(); c.Status.ObservedGeneration != c.Generation {
			t.Errorf("a second after the kill, generation %d is observed, want %d", c.Status.ObservedGeneration, c.Generation)
		}
	})
}
