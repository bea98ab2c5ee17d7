package hub

import (
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/home"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
)

// silent is a Witness.
type silent struct{}

func (silent) Renewed()            {}
func (silent) Released()           {}
func (silent) Written()            {}
func (silent) Note(string, string) {}

// The client of a real hub writes to this one.
func writing(t *testing.T, test func(*testing.T, *Hub, *home.Mirrors)) {
	synctest.Test(t, func(t *testing.T) {
		h := New(fate.New(1), func() cluster.WatchRates { return cluster.WatchRates{} }, silent{})
		mirrors, err := home.NewMirrors(&rest.Config{Host: "http://hub", Transport: h.Transport(fate.NewProcess())}, nil)
		if err != nil {
			t.Fatal(err)
		}
		test(t, h, mirrors)
	})
}

func volume(labels map[string]string) *containersv1.Volume {
	v := &containersv1.Volume{}
	v.Name, v.Namespace, v.Finalizers = "vol-1", Machine, []string{containersv1.Finalizer}
	v.Status.Name, v.Status.Labels = "data", labels
	return v
}

func TestMirrorIsWrittenAndRemoved(t *testing.T) {
	writing(t, func(t *testing.T, h *Hub, mirrors *home.Mirrors) {
		created, err := mirrors.Create(t.Context(), volume(map[string]string{"a": "1"}))
		if err != nil || created.GetLabels()["a"] != "1" || created.(*containersv1.Volume).Status.Name != "data" {
			t.Fatal(created, err)
		}
		key := cluster.Key{Kind: containersv1.KindVolume, Namespace: Machine, Name: "vol-1"}
		h.Label(key, map[string]string{"mine": "1"})
		if _, err := mirrors.UpdateStatus(t.Context(), created); !apierrors.IsConflict(err) {
			t.Error("a write of an older version:", err)
		}
		now, err := mirrors.Get(t.Context(), containersv1.KindVolume, Machine, "vol-1")
		if err != nil {
			t.Fatal(err)
		}
		now.(*containersv1.Volume).Status.Labels = nil
		if now, err = mirrors.UpdateStatus(t.Context(), now); err != nil || len(now.GetLabels()) != 1 || now.GetLabels()["mine"] != "1" {
			t.Fatal("labels", now, err)
		}
		if left, err := mirrors.Remove(t.Context(), now); left != nil || err != nil || h.Count() != 0 {
			t.Error(left, err)
		}
	})
}

func TestDeletedNamespaceTakesNoMirror(t *testing.T) {
	writing(t, func(t *testing.T, h *Hub, mirrors *home.Mirrors) {
		if _, err := mirrors.Create(t.Context(), volume(nil)); err != nil {
			t.Fatal(err)
		}
		if all := h.DeleteNamespace(); len(all) != 1 || all[0].GetDeletionTimestamp() != nil {
			t.Error(all)
		}
		if now, err := mirrors.Get(t.Context(), containersv1.KindVolume, Machine, "vol-1"); err != nil || now.GetDeletionTimestamp() == nil {
			t.Error(now, err)
		}
		other := volume(nil)
		other.Name = "vol-2"
		if _, err := mirrors.Create(t.Context(), other); !apierrors.IsForbidden(err) {
			t.Error(err)
		}
		h.CompleteDeletion()
		if _, err := mirrors.Create(t.Context(), other); !apierrors.IsNotFound(err) || h.Count() != 0 {
			t.Error(err)
		}
		h.AddMachine()
		if _, err := mirrors.Create(t.Context(), other); err != nil {
			t.Error(err)
		}
	})
}

func TestRestoredHubHasEarlierState(t *testing.T) {
	writing(t, func(t *testing.T, h *Hub, mirrors *home.Mirrors) {
		created, err := mirrors.Create(t.Context(), volume(nil))
		if err != nil {
			t.Fatal(err)
		}
		backup := h.Snapshot()
		if _, err := mirrors.Remove(t.Context(), created); err != nil {
			t.Fatal(err)
		}
		h.Leave(fate.New(1).Draw("leave"))
		h.Restore(backup)
		if _, err := mirrors.Get(t.Context(), containersv1.KindVolume, Machine, "vol-1"); err == nil || !h.IsAway() {
			t.Error("a hub that is away answers")
		}
		h.Return()
		time.Sleep(time.Second)
		now, err := mirrors.Get(t.Context(), containersv1.KindVolume, Machine, "vol-1")
		if err != nil || now.GetUID() != created.GetUID() || now.GetResourceVersion() == created.GetResourceVersion() {
			t.Error(now, err)
		}
	})
}
