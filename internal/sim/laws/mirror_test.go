package laws

import (
	"testing"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

func TestMirrorHasStatusOfObject(t *testing.T) {
	test(t, map[string]forgery{
		"present status": {func(f *fixture) {
			f.must(f.native.Model.StartContainer(f.container))
			f.sync(containersv1.KindContainer)
		}, ""},
		"former status that was not mirrored": {func(f *fixture) {
			f.must(f.native.Model.StartContainer(f.container))
			former := f.object(containersv1.KindContainer)
			f.must(f.native.Model.PauseContainer(f.container))
			f.write(containersv1.KindContainer, func(m containersv1.Mirror) { m.SetStatusFrom(former) })
		}, ""},
		"status before the mirrored one": {func(f *fixture) {
			former := f.mirror(containersv1.KindContainer)
			f.must(f.native.Model.StartContainer(f.container))
			f.sync(containersv1.KindContainer)
			f.write(containersv1.KindContainer, func(m containersv1.Mirror) { m.SetStatusFrom(former) })
		}, "back to an older version"},
		"status that never was": {func(f *fixture) {
			f.write(containersv1.KindVolume, func(m containersv1.Mirror) { m.(*containersv1.Volume).Status.Driver = "other" })
		}, "the engine has never had"},
		"mirror of no object": {func(f *fixture) {
			v := f.object(containersv1.KindVolume).CopyMirror()
			v.SetName("vol-other")
			f.create(v)
		}, "the engine has never had"},
		"status of another version of rdd": {func(f *fixture) {
			f.Forged(f.key(containersv1.KindImage))
			f.write(containersv1.KindImage, func(m containersv1.Mirror) { m.(*containersv1.Image).Status.Architecture = "former" })
		}, ""},
		"conditions of rdd": {func(f *fixture) { f.refuse(containersv1.KindImage, containersv1.ConditionEngineDeleted) }, ""},
	})
}

func TestMirrorRemovedForReason(t *testing.T) {
	remove := func(f *fixture) { f.remove(containersv1.KindVolume) }
	test(t, map[string]forgery{
		"object exists": {remove, "the engine has it"},
		"object has gone": {func(f *fixture) {
			f.must(f.native.Model.RemoveVolume("data", false))
			remove(f)
		}, ""},
		"no engine wanted": {func(f *fixture) {
			f.EngineChanged(Cleaning, false)
			remove(f)
		}, ""},
		"no engine wanted long ago": {func(f *fixture) {
			f.EngineChanged(Cleaning, false)
			f.EngineChanged(Ready, false)
			time.Sleep(2 * lateRemoval)
			remove(f)
		}, "the engine has it"},
		"engine away for the grace period": {func(f *fixture) {
			f.EngineChanged(Disconnected, false)
			time.Sleep(testGrace)
			remove(f)
		}, ""},
		"engine away for less": {func(f *fixture) {
			f.EngineChanged(Disconnected, false)
			time.Sleep(testGrace - time.Second)
			remove(f)
		}, "the engine has it"},
		"engine away twice for less": {func(f *fixture) {
			for range 2 {
				f.EngineChanged(Disconnected, false)
				time.Sleep(testGrace - time.Second)
				f.connect()
			}
			remove(f)
		}, "the engine has it"},
		"connection of a new daemon fails": {func(f *fixture) {
			f.DaemonStarted()
			f.EngineChanged(Connecting, true)
			time.Sleep(testGrace)
			remove(f)
		}, ""},
		"another engine used": {func(f *fixture) {
			f.Dialed(f.lima)
			remove(f)
		}, ""},
	})
}
