package laws

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/machine"
)

// resettle publishes Settled=True for a change of the spec.
func resettle(f *fixture, change func(*appv1.AppSpec)) {
	f.changeSpec(change)
	f.unsettle()
	f.settle()
}

// ends makes an App report the end of its engine.
func ends(app *appv1.App) {
	setCondition(app, appv1.ConditionRunning, "False", appv1.ReasonStartFailed)
	meta.FindStatusCondition(app.Status.Conditions, appv1.ConditionRunning).Message = endedWords + ": exit status 2"
	setCondition(app, appv1.ConditionSettled, "False", appv1.ReasonStartFailed)
}

func TestSettledIsTrueWhileRunning(t *testing.T) {
	same := func(s *appv1.AppSpec) { s.VM.Restart = "1" }
	test(t, map[string]forgery{
		"all is well":  {func(f *fixture) { resettle(f, same) }, ""},
		"other driver": {func(f *fixture) { resettle(f, func(s *appv1.AppSpec) { s.VM.Driver = appv1.DriverLima }) }, `settled with driver "native"`},
		"other engine": {func(f *fixture) {
			resettle(f, func(s *appv1.AppSpec) { s.ContainerEngine.Name = appv1.EngineContainerd })
		}, "settled with engine moby"},
		"dead engine": {func(f *fixture) {
			f.native.End(machine.Broken)
			time.Sleep(2 * engineLag)
			resettle(f, same)
		}, "settled as running, and native is Broken"},
		"engine died just now": {func(f *fixture) {
			f.native.End(machine.Broken)
			resettle(f, same)
		}, ""},
		"engine that does not listen": {func(f *fixture) {
			f.native.CutOff()
			time.Sleep(2 * engineLag)
			resettle(f, same)
		}, "does not listen"},
		"two machines": {func(f *fixture) {
			f.must(f.lima.Start(machine.Spec{Engine: appv1.EngineMoby}))
			resettle(f, same)
		}, "settled on native, and lima runs"},
		"VM of another spec": {func(f *fixture) {
			f.must(f.lima.Start(machine.Spec{Engine: appv1.EngineMoby, VM: machine.VM{CPUs: 2}}))
			f.changeSpec(func(s *appv1.AppSpec) { s.VM.CPUs = 4 })
			f.unsettle()
			f.publish(func(app *appv1.App) {
				app.Status.VM.Driver = appv1.DriverLima
				setCondition(app, appv1.ConditionSettled, "True", appv1.ReasonSettled)
			})
		}, "settled with the VM"},
		"object without a mirror": {func(f *fixture) {
			f.remove(containersv1.KindVolume)
			f.broken = nil
			time.Sleep(2 * mirrorLag)
			f.connect()
			resettle(f, same)
		}, "settled, and Volume vol-"},
		"mirror without an object": {func(f *fixture) {
			f.must(f.native.Model.RemoveVolume("data", true))
			time.Sleep(time.Second)
			f.connect()
			resettle(f, same)
		}, "mirrors nothing"},
		"engine that ended long ago": {func(f *fixture) {
			time.Sleep(2 * engineLag)
			f.publish(func(app *appv1.App) { setCondition(app, appv1.ConditionRunning, "True", appv1.ReasonStarted) })
			f.publish(ends)
		}, "is reported to have ended"},
		"engine that ended": {func(f *fixture) {
			time.Sleep(2 * engineLag)
			f.publish(func(app *appv1.App) { setCondition(app, appv1.ConditionRunning, "True", appv1.ReasonStarted) })
			f.native.End(machine.Broken)
			f.publish(ends)
		}, ""},
		"object after the full sync": {func(f *fixture) {
			time.Sleep(time.Second)
			f.native.Model.AddVolume("late")
			resettle(f, same)
		}, ""},
		"old generation": {func(f *fixture) {
			f.native.End(machine.Absent)
			time.Sleep(2 * engineLag)
			f.changeSpec(same)
			f.publish(func(app *appv1.App) { app.Status.VM.DriverReason = "other" })
		}, ""},
	})
}

func TestSettledIsTrueWhileStopped(t *testing.T) {
	stop := func(s *appv1.AppSpec) { s.Running = false }
	removeAll := func(f *fixture) {
		f.EngineChanged(Cleaning, false)
		for _, m := range f.cluster.Mirrors() {
			_, err := f.mirrors.Remove(f.t.Context(), m)
			f.must(err)
		}
	}
	test(t, map[string]forgery{
		"all is well": {func(f *fixture) {
			removeAll(f)
			f.native.End(machine.Absent)
			resettle(f, stop)
		}, ""},
		"engine runs": {func(f *fixture) {
			removeAll(f)
			resettle(f, stop)
		}, "settled as stopped, and native is Present"},
		"mirrors are left": {func(f *fixture) {
			f.native.End(machine.Absent)
			resettle(f, stop)
		}, "settled without mirrors"},
		"mirrors of an engine that is not mirrored": {func(f *fixture) {
			f.native.End(machine.Absent)
			f.must(f.native.Start(machine.Spec{Engine: appv1.EngineContainerd}))
			resettle(f, func(s *appv1.AppSpec) { s.ContainerEngine.Name = appv1.EngineContainerd })
		}, "settled without mirrors"},
	})
}
