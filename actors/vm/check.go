package vm

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// checkEvery is the pause after which a change that was refused is looked at
// again: what it needs may have been installed or mended.
const checkEvery = 30 * time.Second

// check asks whether the wished engine could be brought up once the one that is
// there has gone.
func (a *vmActor) check() {
	spec, drivers, stay := a.wish.spec, a.cfg.Drivers, a.stay()
	a.progress = "checking whether the change can be carried out"
	a.launch(checkJob, chooseDeadline, func(ctx context.Context, _ *call) callDone {
		_, err := choose(ctx, drivers, spec, "", stay)
		return callDone{spec: spec, err: err}
	})
}

// checkEnded keeps the answer for as long as it is worth something: what was
// missing may be there the next time.
func (a *vmActor) checkEnded(m callDone) {
	a.facts.checkedSpec, a.facts.refused, a.checkedFor = m.spec, m.err != nil, m.call.generation
	// Who has asked since may have mended the reason before.
	a.facts.checked = a.checkedFor == a.generation
	if a.refusal = m.err; m.err != nil {
		a.cfg.Logger.Warn("the change cannot be carried out; the engine goes on as it was", "error", m.err)
		if a.recheck != nil {
			a.recheck.Stop()
		}
		a.recheck = a.tasks.After(checkEvery, checkDue{m.spec})
	}
}

// checkDue says that what a check refused may be asked again.
type checkDue struct{ spec messages.VMSpec }

func (a *vmActor) onCheckDue(m checkDue) {
	if a.facts.refused && a.facts.checkedSpec == m.spec {
		a.facts.checked = false
	}
}

// refused is whether no driver can carry out the wish as things are.
func (a *vmActor) refused() bool {
	keeps := a.facts.refused && a.facts.checkedSpec == a.wish.spec && a.checkedFor == a.generation && isRefusal(a.refusal)
	failed := a.facts.waiting && (isRefusal(a.failure.err) || a.failure.permanent())
	return a.wish.running && (keeps || failed)
}

// runningNote is what a user should know of an engine that runs.
func (a *vmActor) runningNote() string {
	if !a.facts.refused || a.facts.checkedSpec != a.wish.spec {
		return a.watch.note
	}
	note := fmt.Sprintf("the engine goes on as it was, since the change cannot be carried out: %v; rdd looks again every %s",
		a.refusal, checkEvery)
	return strings.TrimSuffix(note+"\n"+a.watch.note, "\n")
}
