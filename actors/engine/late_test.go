package engine

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// connectedWorld returns a world whose supervisor is connected and ready.
func connectedWorld(t *testing.T) *world {
	w := newWorld(t)
	w.send(connectTo(1))
	w.last(t)
	return w
}

// An event can be in the mailbox when its session ends.
func TestEventsOfEndedSessionIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := connectedWorld(t)
		w.send(messages.SuspendEngine{Seq: 2})
		w.last(t)
		w.send(messages.SessionEvent{Event: engine.Object{Mirror: reading("late", containersv1.ContainerRunning), AsOf: time.Now()}})
		if got := w.last(t); got.InUse {
			t.Errorf("%+v: an event of an ended session was mirrored", got)
		}
	})
}

// The readings of an object can arrive in another order than that in which they began.
func TestOlderReadingChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := connectedWorld(t)
		now := time.Now()
		w.send(messages.SessionEvent{Event: engine.Object{Mirror: reading("c1", containersv1.ContainerExited), AsOf: now}})
		w.send(messages.SessionEvent{Event: engine.Object{Mirror: reading("c1", containersv1.ContainerRunning), AsOf: now.Add(-time.Second)}})
		if got := w.last(t); got.InUse {
			t.Error("an older reading replaced a newer one")
		}
		w.send(messages.SessionEvent{Event: engine.Gone{Key: engine.Key{Kind: containersv1.KindContainer, ID: "c1"}, AsOf: now.Add(-time.Second)}})
		if w.last(t); w.gone.Load() != 0 {
			t.Error("an older reading removed the object")
		}
	})
}

// An object that could not be read keeps its mirror, and one that was not found does not.
func TestUnreadObjectKeepsItsMirror(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := connectedWorld(t)
		time.Sleep(time.Second)
		w.send(messages.SessionEvent{Event: engine.Synced{AsOf: time.Now(), Unread: []engine.Key{{Kind: containersv1.KindVolume, ID: "good"}}}})
		w.last(t)
		if gone := w.gone.Load(); gone != 2 {
			t.Errorf("%d objects were reported gone, want the container and the other volume", gone)
		}
	})
}

// The removal of a container is the moment at which a refused removal can succeed.
func TestRemovedContainerUnblocksRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := refusing(t)
		w.taken()
		w.send(messages.SessionEvent{Event: engine.Gone{Key: engine.Key{Kind: containersv1.KindContainer, ID: "c1"}, AsOf: time.Now()}})
		if got := w.taken(); !slices.Contains(got, "good") || !slices.Contains(got, "net") {
			t.Errorf("%v have retried, want the volume and the network", got)
		}
	})
}

// A container can be created again while its mirror finishes.
func TestFinishedMirrorWithNewerFactStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := connectedWorld(t)
		before := time.Now()
		time.Sleep(time.Second)
		w.send(messages.SessionEvent{Event: engine.Object{Mirror: reading("c1", containersv1.ContainerRunning), AsOf: time.Now()}})
		w.send(messages.MirrorFinished{Kind: containersv1.KindContainer, Name: "c1", AsOf: before})
		if got := w.last(t); !got.InUse {
			t.Error("the container that was created again was forgotten")
		}
	})
}
