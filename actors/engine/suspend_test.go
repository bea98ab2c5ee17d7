package engine

import (
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// The mirrors of a suspended engine stay for any time, and the engine is used when a stream
// asks for it.
func TestSuspendKeepsMirrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.send(connectTo(1))
		w.last(t)
		w.engine.up.Store(false) // the VM stops
		w.send(messages.SuspendEngine{Seq: 2})
		time.Sleep(time.Hour)
		if got := w.last(t); got.State != messages.EngineSuspended || got.Seq != 2 || got.InUse || !got.Used.IsZero() {
			t.Errorf("%+v, want Suspended", got)
		}
		opened, err := w.system.Root.RequestFuture(w.pid, messages.OpenEngine{}, time.Second).Result()
		if answer, ok := opened.(messages.EngineOpened); err != nil || !ok || !answer.Waking || answer.Err == nil {
			t.Errorf("%+v, %v, want Waking", opened, err)
		}
		if got := w.last(t); time.Since(got.Used) > time.Second {
			t.Errorf("%+v, want Used", got)
		}
		w.engine.up.Store(true)
		w.send(connectTo(3))
		if got := w.last(t); got.State != messages.EngineReady {
			t.Errorf("%+v, want Ready", got)
		}
		if created, gone := w.good.Load(), w.gone.Load(); created != 1 || gone != 0 {
			t.Errorf("the mirror was created %d times, %d objects were reported gone", created, gone)
		}
	})
}

// A container that is active, and a request of a user, use the engine.
func TestEntryInUse(t *testing.T) {
	now := metav1.Now()
	container := func(change func(*containersv1.Container)) *containersv1.Container {
		c := &containersv1.Container{}
		c.Finalizers, c.Generation, c.Status.Status = []string{containersv1.Finalizer}, 1, containersv1.ContainerExited
		change(c)
		return c
	}
	for name, tc := range map[string]struct {
		object, resource *containersv1.Container
		want             bool
	}{
		"exited":  {container(func(*containersv1.Container) {}), container(func(*containersv1.Container) {}), false},
		"running": {container(func(c *containersv1.Container) { c.Status.Status = containersv1.ContainerRunning }), nil, true},
		"paused":  {container(func(c *containersv1.Container) { c.Status.Status = containersv1.ContainerPaused }), nil, true},
		"deleted": {nil, container(func(c *containersv1.Container) { c.DeletionTimestamp = &now }), true},
		"deleted, held by another controller": {nil, container(func(c *containersv1.Container) {
			c.DeletionTimestamp, c.Finalizers = &now, []string{"example.com/other"}
		}), false},
		"action": {nil, container(func(c *containersv1.Container) {
			c.Annotations = map[string]string{containersv1.ActionAnnotation: "start"}
		}), true},
		"desired state": {nil, container(func(c *containersv1.Container) { c.Spec.State = containersv1.StateRunning }), true},
		"applied": {nil, container(func(c *containersv1.Container) {
			c.Spec.State, c.Status.ObservedGeneration = containersv1.StateRunning, 1
		}), false},
		"nothing desired": {nil, container(func(c *containersv1.Container) { c.Spec.State = containersv1.StateUnknown }), false},
	} {
		e := &entry{}
		if tc.object != nil {
			e.object = tc.object
		}
		if tc.resource != nil {
			e.resource = tc.resource
		}
		if got := e.isInUse(); got != tc.want {
			t.Errorf("%s: in use %v, want %v", name, got, tc.want)
		}
	}
}
