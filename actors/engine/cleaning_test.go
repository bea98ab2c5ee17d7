package engine

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// A user who waits for the end of the mirrors reads how many are left, and which one
// the finalizer of another program holds.
func TestCleaningNamesForeignFinalizer(t *testing.T) {
	r := newRegistry()
	deleted := &metav1.Time{Time: time.Unix(1, 0)}
	for name, finalizers := range map[string][]string{
		"a": {containersv1.Finalizer}, "b": {"example.com/hold"}, "c": {"example.com/hold", containersv1.Finalizer},
	} {
		c := &containersv1.Container{}
		c.Name, c.Namespace, c.DeletionTimestamp, c.Finalizers, c.Status.Name = name, "ns", deleted, finalizers, "web-"+name
		r.ensure(containersv1.KindContainer, name, "ns").resource = c
	}
	text := r.cleaning()
	for _, want := range []string{"3 mirrors", "Container b (web-b)", "example.com/hold", "rdd ctl -n ns edit container b"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q lacks %q", text, want)
		}
	}
	for _, name := range []string{"b", "c"} {
		r.remove(r.get(containersv1.KindContainer, name))
	}
	if text := r.cleaning(); text != "1 mirror to remove" {
		t.Errorf("after the removal: %q", text)
	}
}

// newHeldWorld returns a world whose engine is gone, and a mirror that another program
// holds.
func newHeldWorld(t *testing.T) (*world, *containersv1.Volume) {
	w := newWorld(t)
	w.send(connectTo(1))
	w.last(t)
	held := &containersv1.Volume{}
	held.Name, held.UID = "good", "u1"
	w.resources.change(held)
	w.send(messages.DisconnectEngine{Seq: 2})
	return w, held
}

// The finalizer of another program can hold a mirror for days.
func TestCleaningWithoutChangeIsIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := newHeldWorld(t)
		time.Sleep(time.Minute)
		if got := w.last(t); got.State != messages.EngineCleaning {
			t.Fatalf("got %+v while a mirror is left, want Cleaning", got)
		}
		w.handled.Store(0)
		time.Sleep(time.Hour)
		if n := w.handled.Load(); n != 0 {
			t.Errorf("%d messages in an hour without a change", n)
		}
	})
}

// The owner receives the number of remaining mirrors after each removal.
func TestCleaningPublishesCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.send(connectTo(1))
		w.last(t)
		left := map[string]*containersv1.Volume{}
		for _, name := range []string{"good", "bad"} {
			left[name] = &containersv1.Volume{}
			left[name].Name, left[name].UID = name, "u1"
			w.resources.change(left[name])
		}
		w.send(messages.DisconnectEngine{Seq: 2})
		for _, step := range []struct{ removed, want string }{{"", "2 mirrors to remove"}, {"good", "1 mirror to remove"}} {
			if m := left[step.removed]; m != nil {
				w.resources.remove(m)
				w.send(messages.MirrorFinished{Kind: containersv1.KindVolume, Name: m.Name})
			}
			time.Sleep(progressEvery)
			if got := w.last(t); got.State != messages.EngineCleaning || got.Message != step.want {
				t.Errorf("got %+v, want Cleaning with %q", got, step.want)
			}
		}
	})
}
