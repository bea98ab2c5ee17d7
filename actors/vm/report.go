package vm

import (
	"fmt"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/failuretext"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// stateOf derives the published state from the facts that next also uses, so that
// the two cannot disagree.
func stateOf(want desiredState, f facts, hung bool) messages.VMState {
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
	case !want.known:
		return messages.VMStopped
	case want.running:
		return messages.VMStarting
	case !f.inspected, f.found.Presence != Absent:
		// Do not report Stopped before an inspection shows that no engine runs.
		return messages.VMStopping
	default:
		return messages.VMStopped
	}
}

// publish sends the state to the subscriber if it changed, or if an answer is due.
func (a *vmActor) publish(answer bool) {
	now := messages.VMChanged{
		Generation:   a.generation,
		State:        stateOf(a.desired, a.facts, a.watch.hung()),
		Since:        a.sent.Since,
		Desired:      a.desired.running,
		Current:      a.facts.attached && satisfies(a.desired.spec, a.facts.attachedSpec),
		Refused:      a.refused(),
		Silent:       a.facts.attached && a.watch.hung(),
		DriverReason: a.choice.reason,
		Used:         a.used,
	}
	if now.State != a.sent.State {
		now.Since = time.Now()
		a.cfg.Report(string(now.State))
	}
	if now.State != messages.VMStopped {
		now.Driver = a.driverName()
	}
	if now.State == messages.VMRunning || a.watch.hung() {
		// A user needs the endpoint to inspect a hung engine.
		now.Endpoint, now.Engine = a.endpoint, a.facts.attachedSpec.Engine
	}
	if a.facts.waiting {
		now.Retry = a.failure.retry
	}
	if now.State == messages.VMFailed {
		now.Failure = a.failureLine()
	}
	now.Message, now.Note = a.message(now.State), a.note(now.State)
	if now == a.sent && !answer {
		return
	}
	a.sent = now
	if a.subscriber != nil {
		a.root.Send(a.subscriber, now)
	}
}

// message returns the message for users in a state.
func (a *vmActor) message(state messages.VMState) string {
	switch state {
	case messages.VMStarting:
		if a.failure.err == nil {
			return a.progress
		}
		// Keep the previous error, with its log lines, until this attempt succeeds.
		return failuretext.Retrying(a.progress, a.failure.count+1, a.failureText())
	case messages.VMStopping:
		if a.facts.cancelled {
			return "cancelling the start of the engine"
		}
		return a.progress
	case messages.VMFailed:
		if a.watch.hung() {
			return a.watch.silence()
		}
		return failuretext.Waiting(a.failureText(), a.failure.count+1, a.failure.retry, a.failure.backoff().Max)
	default:
		return ""
	}
}

// failureLine returns what failed last and why, without what differs between attempts.
func (a *vmActor) failureLine() string {
	if a.watch.hung() {
		return fmt.Sprintf("the engine does not answer: %v", a.watch.err)
	}
	line, _, _ := strings.Cut(a.failureText(), "\n")
	return line
}

// failureText returns what failed last and why, with the last lines of a log.
func (a *vmActor) failureText() string {
	return fmt.Sprintf("%s: %v", a.failure.what, a.failure.err)
}

// note returns what a user should know in the desired state.
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

func typeName(m any) string { return fmt.Sprintf("%T", m) }
