package engine

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// Mirrors of a kind that the engine refuses to list stay, and the state says why.
func TestUnlistedKindKeepsItsMirrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.send(connectTo(1))
		w.last(t)
		time.Sleep(time.Second)
		w.send(messages.SessionEvent{Event: engine.Synced{AsOf: time.Now(), Unlisted: map[containersv1.Kind]error{
			containersv1.KindVolume: errors.New("list volumes: no plugin"),
		}}})
		got := w.last(t)
		if got.State != messages.EngineReady || !strings.Contains(got.Message, "refuses to list volumes") || !strings.Contains(got.Message, "no plugin") {
			t.Errorf("got %+v", got)
		}
		if n := w.gone.Load(); n != 1 {
			t.Errorf("%d objects were reported to be gone, want the container alone", n)
		}
		w.send(messages.SessionEvent{Event: engine.Synced{AsOf: time.Now()}})
		if got := w.last(t); got.Message != "" || w.gone.Load() != 3 {
			t.Errorf("got %+v, and %d objects are gone after the volumes were listed", got, w.gone.Load())
		}
	})
}
