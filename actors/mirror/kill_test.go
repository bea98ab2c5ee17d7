package mirror

import (
	"testing"
	"testing/synctest"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	enginememory "github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/memory"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// A container that has no stop timeout and ignores its stop signal does not end.
func TestKillInterruptsStop(t *testing.T) {
	for name, request := range map[string]func(*containersv1.Container){
		"stop": asks(containersv1.ActionStop), "restart": asks(containersv1.ActionRestart), "spec.state": wants(containersv1.StateCreated),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPatient(t, func(e *enginememory.Engine, id string) {
					_ = e.StartContainer(id)
					_ = e.SetStopDelay(id, 10000*time.Hour)
				})
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
