package laws

import (
	"testing"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/machine"
)

// problemsOf looks for the problems of a history, and for them only.
func problemsOf(change func(*fixture)) func(*fixture) {
	return func(f *fixture) {
		change(f)
		f.broken = nil
		f.problems()
	}
}

func TestProblemsOfApp(t *testing.T) {
	test(t, map[string]forgery{
		"none":   {problemsOf(func(*fixture) {}), ""},
		"no App": {problemsOf(func(f *fixture) { f.cluster.DeleteApp() }), "there is no App"},
		"no condition": {problemsOf(func(f *fixture) {
			f.publish(func(app *appv1.App) { app.Status.Conditions = app.Status.Conditions[1:] })
		}), "the App has no condition Running"},
		"condition of another reason": {problemsOf((*fixture).unsettle), "Settled is False/Waiting"},
		"condition of another generation": {problemsOf(func(f *fixture) {
			f.changeSpec(func(s *appv1.AppSpec) { s.VM.CPUs = 3 })
		}), "want Settled of 3"},
		"engine does not run": {problemsOf(func(f *fixture) { f.native.End(machine.Absent) }), "native is Absent, want Present"},
		"another machine runs": {problemsOf(func(f *fixture) {
			f.must(f.lima.Start(machine.Spec{Engine: appv1.EngineMoby}))
		}), "lima is Present, want Absent"},
		"another driver": {problemsOf(func(f *fixture) {
			resettle(f, func(s *appv1.AppSpec) { s.VM.Driver = appv1.DriverLima })
		}), "driver native is used, want lima"},
		"no driver": {problemsOf(func(f *fixture) {
			f.publish(func(app *appv1.App) { app.Status.VM.Driver = "" })
		}), `driver "" is used`},
		"mirrors of a stopped engine": {problemsOf(func(f *fixture) {
			f.native.End(machine.Absent)
			resettle(f, func(s *appv1.AppSpec) { s.Running = false })
		}), "is there although nothing is mirrored"},
	})
}

func TestProblemsOfMirrors(t *testing.T) {
	volume := func(change func(*fixture, containersv1.Mirror)) func(*fixture) {
		return problemsOf(func(f *fixture) { change(f, f.mirror(containersv1.KindVolume)) })
	}
	test(t, map[string]forgery{
		"missing":  {problemsOf(func(f *fixture) { f.remove(containersv1.KindVolume) }), "has no mirror"},
		"ghost":    {problemsOf(func(f *fixture) { f.must(f.native.Model.RemoveVolume("data", false)) }), "mirrors nothing"},
		"outdated": {problemsOf(func(f *fixture) { f.must(f.native.Model.StartContainer(f.container)) }), "differs"},
		"other namespace": {volume(func(f *fixture, m containersv1.Mirror) {
			m.SetNamespace("default")
			m.SetResourceVersion("")
			_, err := f.mirrors.Create(f.t.Context(), m)
			f.must(err)
		}), "is in namespace default"},
		"without managed fields": {volume(func(f *fixture, m containersv1.Mirror) { f.cluster.Disown(keyOf(m), false) }), "has no managed fields"},
		"without finalizer":      {volume(func(f *fixture, m containersv1.Mirror) { f.cluster.Disown(keyOf(m), true) }), "has the finalizers"},
		"deleted":                {volume(func(f *fixture, m containersv1.Mirror) { f.cluster.Delete(keyOf(m)) }), "is deleted, and still there"},
		"refused without cause": {volume(func(f *fixture, m containersv1.Mirror) {
			f.cluster.Delete(keyOf(m))
			f.refuse(containersv1.KindVolume, containersv1.ConditionEngineDeleted)
		}), "is deleted, and still there"},
		"refused": {problemsOf(func(f *fixture) {
			f.cluster.Delete(f.key(containersv1.KindImage))
			f.refuse(containersv1.KindImage, containersv1.ConditionEngineDeleted)
		}), ""},
		"refused and not deleted": {problemsOf(func(f *fixture) {
			f.refuse(containersv1.KindImage, containersv1.ConditionEngineDeleted)
		}), "is not deleted, but refused"},
	})
}

func TestProblemsOfDesiredState(t *testing.T) {
	stateReached := func(f *fixture) { f.refuse(containersv1.KindContainer, containersv1.ConditionStateReached) }
	test(t, map[string]forgery{
		"applied": {problemsOf(func(f *fixture) {
			f.desire(containersv1.StateRunning)
			f.must(f.native.Model.StartContainer(f.container))
			f.sync(containersv1.KindContainer)
			f.observe()
		}), ""},
		"never applied": {problemsOf(func(f *fixture) {
			f.desire(containersv1.StateRunning)
			f.observe()
		}), "was never running since"},
		"requested during a stop, and never applied": {problemsOf(func(f *fixture) {
			f.must(f.native.Model.StartContainer(f.container))
			f.desire(containersv1.StateCreated)
			answered := f.Judge(f.native).Command("stop", containersv1.KindContainer, f.container)
			time.Sleep(time.Second)
			f.desire(containersv1.StateRunning)
			time.Sleep(time.Second)
			f.must(f.native.Model.KillContainer(f.container))
			time.Sleep(time.Second)
			answered()
			f.sync(containersv1.KindContainer)
			f.observe()
		}), "was never running since"},
		"not applied": {problemsOf(func(f *fixture) { f.desire(containersv1.StateRunning) }), "neither applied nor refused"},
		"refused without cause": {problemsOf(func(f *fixture) {
			f.desire(containersv1.StateRunning)
			stateReached(f)
		}), "neither applied nor refused"},
		"refused": {problemsOf(func(f *fixture) {
			f.must(f.native.Model.SetStartError(f.container, "exec: no such file"))
			f.sync(containersv1.KindContainer)
			f.desire(containersv1.StateRunning)
			stateReached(f)
		}), ""},
		"applied and refused": {problemsOf(func(f *fixture) {
			stateReached(f)
			f.observe()
		}), "is applied, and refused"},
		"withdrawn and not observed": {problemsOf(func(f *fixture) {
			f.desire(containersv1.StateRunning)
			f.desire(containersv1.StateUnknown)
		}), "has no desired state, and generation 3 is not observed"},
	})
}
