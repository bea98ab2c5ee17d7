package hub

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
)

const (
	// machineEvery is the pause between two writes of the status of the Machine.
	machineEvery   = 5 * time.Second
	machineTimeout = 15 * time.Second
	// machineStaleAfter is how long a status that was written is taken to be stored.
	machineStaleAfter = time.Minute
)

// writeMachine writes the status of the Machine if it has changed.
func (h *hub) writeMachine() {
	if !h.facts.wantsSubtree() || h.engine == nil || h.machine.isBusy {
		return
	}
	status := h.machineStatus()
	if h.machine.written != nil && equality.Semantic.DeepEqual(*h.machine.written, status) {
		return
	}
	h.machine.isBusy = true
	of, name := h.home, h.join.Machine
	h.tasks.Go(machineTimeout, func(ctx context.Context) any {
		return machineWrote{of, status, of.WriteMachine(ctx, name, status)}
	})
}

func (h *hub) machineStatus() hubv1.MachineStatus {
	return hubv1.MachineStatus{
		Instance: h.identity, Version: h.Version, Driver: string(h.driver), Allow: h.join.Allow, Counts: h.counts.status(),
		Engine:     hubv1.EngineStatus{Version: h.facts.engine.Engine.Version, APIVersion: h.facts.engine.Engine.APIVersion},
		Conditions: machineConditions(h.facts),
	}
}

// machineWritten begins the pause before the next write. A failure is no failure of the
// mirrors, so it shows in the log alone.
func (h *hub) machineWritten(wrote machineWrote) {
	if wrote.home != h.home {
		return
	}
	pause := machineEvery
	if wrote.err != nil {
		h.Logger.Warn("the status of this machine was not written to the hub", "err", wrote.err)
		const again = 30 * time.Second
		pause = again
	} else {
		h.machine.written = &wrote.status
		// The hub's controller may have written it since, if the machine was suspended.
		h.tasks.After(machineStaleAfter, machineStale{h.home})
	}
	h.tasks.After(pause, machineDue{})
}
