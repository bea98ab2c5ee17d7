package laws

import (
	"testing"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// checkLater checks whether mirrors are fresh after a time.
func checkLater(after time.Duration, change func(*fixture)) func(*fixture) {
	return func(f *fixture) {
		change(f)
		time.Sleep(after)
		f.CheckFresh()
	}
}

func TestMirrorIsFresh(t *testing.T) {
	late := freshWithin + time.Second
	start := func(f *fixture) { f.must(f.native.Model.StartContainer(f.container)) }
	removeVolume := func(f *fixture) { f.must(f.native.Model.RemoveVolume("data", false)) }
	test(t, map[string]forgery{
		"nothing changed":  {checkLater(late, func(*fixture) {}), ""},
		"changed just now": {checkLater(time.Second, start), ""},
		"changed":          {checkLater(late, start), "is mirrored late"},
		"created":          {checkLater(late, func(f *fixture) { f.native.Model.AddVolume("new") }), "has no mirror yet"},
		"removed":          {checkLater(late, removeVolume), "was removed from the engine, and is still mirrored"},
		"removed, deleted lately": {checkLater(late, func(f *fixture) {
			f.cluster.Delete(f.key(containersv1.KindVolume))
			removeVolume(f)
		}), ""},
		"changed, and mirrored": {checkLater(late, func(f *fixture) { start(f); f.sync(containersv1.KindContainer) }), ""},
		"changed, and the engine is away": {checkLater(late, func(f *fixture) {
			f.EngineChanged(Disconnected, false)
			start(f)
		}), ""},
		"changed, and an actor restarts": {checkLater(late, func(f *fixture) {
			f.RestartDue(5*time.Second, false)
			start(f)
		}), ""},
		"changed, and an actor is given up": {checkLater(late, func(f *fixture) {
			f.RestartDue(0, true)
			start(f)
		}), ""},
		"another version's status": {checkLater(late, func(f *fixture) {
			f.Forged(f.key(containersv1.KindContainer))
			start(f)
		}), ""},
	})
}

func TestDeleteIsRetriedAtOnce(t *testing.T) {
	refused := func(f *fixture) {
		f.cluster.Delete(f.key(containersv1.KindImage))
		f.refuse(containersv1.KindImage, containersv1.ConditionEngineDeleted)
	}
	removeContainer := func(f *fixture) {
		f.must(f.native.Model.RemoveContainer(f.container, true))
		f.remove(containersv1.KindContainer)
	}
	check := func(f *fixture) {
		for range 3 {
			time.Sleep(freshWithin)
			f.CheckFresh()
		}
	}
	test(t, map[string]forgery{
		"container uses the image": {func(f *fixture) { refused(f); check(f) }, ""},
		"container was removed": {func(f *fixture) {
			refused(f)
			removeContainer(f)
			check(f)
		}, "is not retried, and nothing blocks it"},
		"another finalizer": {func(f *fixture) {
			f.cluster.SetFinalizer(f.key(containersv1.KindImage), "example.com/hold", true)
			refused(f)
			removeContainer(f)
			check(f)
		}, ""},
	})
}
