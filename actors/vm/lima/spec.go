package lima

import (
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// hostSpec converts a spec to the type of the agent's configuration.
func hostSpec(spec messages.VMSpec) limahost.Spec {
	engine := spec.Engine
	if engine == "" {
		engine = appv1.EngineMoby
	}
	v := spec.VM
	return limahost.Spec{
		Engine: string(engine), CPUs: v.CPUs, Memory: v.Memory, Disk: v.Disk, Image: v.Image,
		Acceleration: string(v.Acceleration), Restart: v.Restart, Reset: v.Reset,
		Mounts: v.Mounts, Settings: spec.Settings,
	}
}

// vmSpec converts an agent's spec back.
func vmSpec(spec limahost.Spec) messages.VMSpec {
	return messages.VMSpec{
		Driver: appv1.DriverLima, Engine: appv1.EngineName(spec.Engine), Settings: spec.Settings,
		VM: messages.VMProperties{
			CPUs: spec.CPUs, Memory: spec.Memory, Disk: spec.Disk, Image: spec.Image,
			Acceleration: appv1.Acceleration(spec.Acceleration), Restart: spec.Restart, Reset: spec.Reset,
			Mounts: spec.Mounts,
		},
	}
}
