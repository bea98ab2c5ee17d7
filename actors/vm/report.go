package vm

import (
	"fmt"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// stateOf derives the state that others see from the same facts that the
// decision is made of, so that the two cannot disagree.
func stateOf(w wish, f facts, hung bool) messages.VMState {
	switch {
	case f.job == stopJob, f.job == startJob && f.cancelled:
		return messages.VMStopping
	case f.job == startJob:
		return messages.VMStarting
	case f.attached && hung:
		return messages.VMFailed
	case f.attached:
		return messages.VMRunning
	case f.waiting:
		return messages.VMFailed
	case !w.known:
		return messages.VMStopped
	case w.running:
		return messages.VMStarting
	case !f.inspected, f.found.Presence != Absent:
		// Nobody may say "stopped" before it has been looked up.
		return messages.VMStopping
	default:
		return messages.VMStopped
	}
}

// tell sends what is now to who asked, if it changed or if an answer is due.
func (a *vmActor) tell(answer bool) {
	now := messages.VMChanged{
		Generation:   a.generation,
		State:        stateOf(a.wish, a.facts, a.watch.hung()),
		Since:        a.told.Since,
		Wanted:       a.wish.running,
		Current:      a.facts.attached && fits(a.wish.spec, a.facts.attachedSpec),
		Refused:      a.refused(),
		Silent:       a.facts.attached && a.watch.hung(),
		DriverReason: a.choice.reason,
	}
	if now.State != a.told.State {
		now.Since = time.Now()
		a.cfg.Report(string(now.State))
	}
	if now.State != messages.VMStopped {
		now.Driver = a.driverName()
	}
	if now.State == messages.VMRunning || a.watch.hung() {
		// Where one listens that does not answer is what who looks needs to know.
		now.Endpoint, now.Engine = a.endpoint, a.facts.attachedSpec.Engine
	}
	if a.facts.waiting {
		now.Retry = a.failure.retry
	}
	now.Message, now.Note = a.message(now.State), a.note(now.State)
	if now == a.told && !answer {
		return
	}
	a.told = now
	if a.asker != nil {
		a.root.Send(a.asker, now)
	}
}

// message is what a user reads beside the state.
func (a *vmActor) message(state messages.VMState) string {
	switch state {
	case messages.VMStarting:
		if a.failure.err == nil {
			return a.progress
		}
		// What the guest or the engine said last stays until it is known whether
		// this try is better.
		first, rest, more := strings.Cut(a.failure.err.Error(), "\n")
		text := fmt.Sprintf("%s (try %d; before: %s: %s)", a.progress, a.failure.count+1, a.failure.what, first)
		if more {
			text += "\n" + rest
		}
		return text
	case messages.VMStopping:
		if a.facts.cancelled {
			return "cancelling the start of the engine"
		}
		return a.progress
	case messages.VMFailed:
		if a.watch.hung() {
			return a.watch.silence()
		}
		return fmt.Sprintf("%s (%s): %v\nrdd tries again by itself at %s, after longer pauses each time up to %s",
			a.failure.what, times(a.failure.count), a.failure.err, a.failure.retry.Format(time.TimeOnly), a.failure.backoff().Max)
	default:
		return ""
	}
}

// note is what a user should know of a state that is as it should be.
func (a *vmActor) note(state messages.VMState) string {
	switch state {
	case messages.VMRunning:
		return a.runningNote()
	case messages.VMStopped:
		return a.stopNote
	default:
		return ""
	}
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times in a row", n)
}

func typeName(m any) string { return fmt.Sprintf("%T", m) }
