package vm

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// recheckInterval is the interval between checks of a refused change, whose cause may have
// been fixed meanwhile. A check changes nothing, so the interval is constant.
const recheckInterval = 30 * time.Second

// check checks whether the desired engine could replace the running one.
func (a *vmActor) check() {
	spec, drivers, preferred := a.desired.spec, a.cfg.Drivers, a.preferred()
	a.progress = "checking whether the change can be applied"
	a.launch(checkJob, chooseDeadline, func(ctx context.Context, _ *call) callDone {
		_, err := choose(ctx, drivers, spec, "", preferred)
		return callDone{spec: spec, err: err}
	})
}

// checkEnded records the result of a check. A refused change is checked again later.
func (a *vmActor) checkEnded(m callDone) {
	a.facts.checkedSpec, a.facts.refused, a.checkedFor = m.spec, m.err != nil, m.call.generation
	// A newer EnsureVM needs a new check, because the cause may have been fixed.
	a.facts.checked = a.checkedFor == a.generation
	if a.refusal = m.err; m.err != nil {
		a.cfg.Logger.Warn("the change cannot be applied; the engine is unchanged", "error", m.err)
		if a.recheck != nil {
			a.recheck.Stop()
		}
		a.recheck = a.tasks.After(recheckInterval, checkDue{m.spec})
	}
}

// checkDue is sent when a refused change can be checked again.
type checkDue struct{ spec messages.VMSpec }

func (a *vmActor) onCheckDue(m checkDue) {
	if a.facts.refused && a.facts.checkedSpec == m.spec {
		a.facts.checked = false
	}
}

// refused reports whether no driver can apply the desired state now.
func (a *vmActor) refused() bool {
	keeps := a.facts.refused && a.facts.checkedSpec == a.desired.spec && a.checkedFor == a.generation && isRefusal(a.refusal)
	failed := a.facts.waiting && (isRefusal(a.failure.err) || a.failure.permanent())
	return a.desired.running && (keeps || failed)
}

// runningNote returns what a user should know about the running engine.
func (a *vmActor) runningNote() string {
	if !a.facts.refused || a.facts.checkedSpec != a.desired.spec {
		return a.watch.note
	}
	note := fmt.Sprintf("the engine is unchanged, because the change cannot be applied: %v; rdd checks again every %s",
		a.refusal, recheckInterval)
	return strings.TrimSuffix(note+"\n"+a.watch.note, "\n")
}
