package laws

import (
	"context"
	"testing"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/memory"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
)

func TestLabelsAreOfEngineOrUser(t *testing.T) {
	// forge replaces the labels of a mirror in a write of the daemon.
	forge := func(labels map[string]string) func(*fixture) {
		return func(f *fixture) {
			f.must(f.native.Model.RemoveVolume("data", false))
			f.native.Model.AddVolumeSpec(memory.VolumeSpec{Name: "data", Labels: map[string]string{"a": "1"}})
			f.cluster.Label(f.key(containersv1.KindVolume), map[string]string{"mine": "yes"})
			before := f.mirror(containersv1.KindVolume)
			after := before.CopyMirror()
			after.SetStatusFrom(f.object(containersv1.KindVolume))
			after.SetLabels(labels)
			f.labeled(cluster.Write{Verb: "update status", Key: f.key(containersv1.KindVolume), Before: before, After: after})
		}
	}
	test(t, map[string]forgery{
		"right":         {forge(map[string]string{"a": "1", "mine": "yes"}), ""},
		"engine's gone": {forge(map[string]string{"mine": "yes"}), "of the engine"},
		"user's gone":   {forge(map[string]string{"a": "1"}), "of a user"},
		"user's other":  {forge(map[string]string{"a": "1", "mine": "no"}), "of a user"},
		"without owner": {forge(map[string]string{"a": "1", "mine": "yes", "b": ""}), "has no owner"},
		"a real write": {func(f *fixture) {
			f.must(f.native.Model.RemoveVolume("data", false))
			f.native.Model.AddVolumeSpec(memory.VolumeSpec{Name: "data", Labels: map[string]string{"a": "1"}})
			f.sync(containersv1.KindVolume)
			f.cluster.Label(f.key(containersv1.KindVolume), map[string]string{"a": "user", "mine": "yes"})
			m := f.mirror(containersv1.KindVolume)
			m, err := f.mirrors.UpdateStatus(context.Background(), m)
			f.must(err)
			if m.GetLabels()["a"] != "1" || m.GetLabels()["mine"] != "yes" {
				f.t.Errorf("the labels are %v", m.GetLabels())
			}
		}, ""},
	})
}
