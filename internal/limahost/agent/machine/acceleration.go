package machine

import (
	"context"
	"fmt"

	"github.com/lima-vm/lima/pkg/limayaml"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/accel"
)

// Acceleration is the acceleration of a machine's processor, and the reason for it.
type Acceleration struct {
	Name, Reason string
}

// Probe is the running test of an acceleration.
type Probe struct {
	requested string
	result    chan probeResult
}

type probeResult struct {
	Acceleration
	err error
}

// StartProbe begins to test the requested acceleration. The disk is made meanwhile.
func StartProbe(ctx context.Context, requested, cacheFile string) *Probe {
	p := &Probe{requested: requested, result: make(chan probeResult, 1)}
	want := requested
	if want == limayaml.VZ {
		// Only accelerations of QEMU are probed.
		want = accel.TCG
	}
	go func() {
		var r probeResult
		r.Name, r.Reason, r.err = accel.Choose(ctx, want, cacheFile)
		p.result <- r
	}()
	return p
}

// Acceleration returns the acceleration for a VM. It waits for the probe if the result
// matters for this VM.
func (p *Probe) Acceleration(y *limayaml.LimaYAML) (Acceleration, error) {
	switch {
	case *y.VMType == limayaml.VZ:
		reason := "Apple's Virtualization framework is the fastest one"
		if p.requested == limayaml.VZ {
			reason = "chosen by the user"
		}
		return Acceleration{limayaml.VZ, reason}, nil
	case !limayaml.IsNativeArch(*y.Arch):
		return Acceleration{accel.TCG, fmt.Sprintf("the guest's architecture %s is not this machine's", *y.Arch)}, nil
	default:
		r := <-p.result
		return r.Acceleration, r.err
	}
}
