package world

import (
	"fmt"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
)

// change changes the spec of the App, as a user does.
func (w *world) change(what string, f func(*appv1.AppSpec)) {
	w.disturb()
	w.Note("user", what)
	w.cluster.ChangeApp(f)
}

func (w *world) setRunning(d *fate.Dice) {
	on := d.Chance(0.7)
	w.change(fmt.Sprint("running ", on), func(s *appv1.AppSpec) { s.Running = on })
}

func (w *world) setDriver(d *fate.Dice) {
	name := fate.Pick(d, []appv1.DriverName{appv1.DriverAuto, appv1.DriverNative, appv1.DriverLima, appv1.DriverExternal})
	w.change("driver "+string(name), func(s *appv1.AppSpec) {
		s.VM.Driver, s.VM.Endpoint = name, ""
		if name == appv1.DriverExternal {
			s.VM.Endpoint = w.machine(name).Endpoint()
		}
	})
}

func (w *world) setEngine(d *fate.Dice) {
	name := fate.Pick(d, []appv1.EngineName{appv1.EngineMoby, appv1.EngineMoby, appv1.EngineContainerd})
	w.change("engine "+string(name), func(s *appv1.AppSpec) { s.ContainerEngine.Name = name })
}

func (w *world) setProperties(d *fate.Dice) {
	n := d.N(3)
	w.change(fmt.Sprint("vm properties ", n), func(s *appv1.AppSpec) {
		s.VM.CPUs, s.VM.Restart = int32(1+n), fmt.Sprint(d.N(2))
		if d.Chance(0.2) {
			s.VM.Reset = fmt.Sprint(d.N(3))
		}
	})
}

func (w *world) deleteApp(*fate.Dice) {
	w.disturb()
	w.cluster.DeleteApp()
}
