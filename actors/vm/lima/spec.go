package lima

import (
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/vmhost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// What a VM may take to come up, from the start of the machine to an engine that
// answers. A guest that has the engine inside takes half a minute with no
// hardware acceleration on a slow machine; a public image installs the engine at
// its first boot, over the network.
const (
	builtBoot = 5 * time.Minute
	cloudBoot = 15 * time.Minute
	// builtImage and cloudImage are for finding and fetching the image and making
	// the disk, before the machine is started.
	builtImage = time.Minute
	cloudImage = 15 * time.Minute
)

// hostSpec is the part of a spec that the agent carries out.
func hostSpec(spec messages.VMSpec) vmhost.Spec {
	engine := spec.Engine
	if engine == "" {
		engine = appv1.EngineMoby
	}
	v := spec.VM
	return vmhost.Spec{
		Engine: string(engine), CPUs: v.CPUs, Memory: v.Memory, Disk: v.Disk, Image: v.Image,
		Acceleration: string(v.Acceleration), Restart: v.Restart, Reset: v.Reset,
	}
}

// vmSpec is the way back.
func vmSpec(spec vmhost.Spec) messages.VMSpec {
	return messages.VMSpec{
		Driver: appv1.DriverLima, Engine: appv1.EngineName(spec.Engine),
		VM: messages.VMProperties{
			CPUs: spec.CPUs, Memory: spec.Memory, Disk: spec.Disk, Image: spec.Image,
			Acceleration: appv1.Acceleration(spec.Acceleration), Restart: spec.Restart, Reset: spec.Reset,
		},
	}
}
