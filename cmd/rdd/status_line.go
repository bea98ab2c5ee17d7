package main

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/lifecycle"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/terminal"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/failuretext"
)

// line is a state in one line: "STATE: DETAILS; next: NEXT".
type line struct{ state, details, next string }

// in returns the line, at most columns wide unless columns is 0. It cuts the
// details.
func (l line) in(columns int) string {
	state, next := l.state, ""
	if l.next != "" {
		next = "; next: " + l.next
	}
	if l.details == "" {
		return state + next
	}
	details := terminal.Line(l.details)
	if columns > 0 {
		room := columns - terminal.Width(state+": "+next)
		if details = terminal.Cut(details, room); details == "" {
			return state + next
		}
	}
	return state + ": " + details + next
}

// printLine prints a line, which fits on a terminal unless its state and next do not.
func (s *session) printLine(l line) error {
	l.details, l.next = s.typeable(l.details), s.typeable(l.next)
	columns, _, isTerminal := terminal.Size(s.out)
	if !isTerminal {
		columns = 0
	}
	_, err := fmt.Fprintln(s.out, l.in(columns))
	return err
}

// line returns the state in one line. It follows from the same facts as next.
func (v overview) line() line {
	next := commandIn(v.Next)
	d := v.Daemon
	switch {
	case d.Doing != "":
		return line{"daemon stopped", d.Doing, next}
	case d.State == lifecycle.StateStopped && v.Engine != nil:
		return line{"daemon not running, engine still running", v.Engine.String(), next}
	case d.State == lifecycle.StateHung:
		details := d.Error
		if v.Engine != nil {
			details = "the engine is still running: " + v.Engine.String()
		}
		return line{fmt.Sprintf("daemon hung (pid %d)", d.PID), details, next}
	case d.State == lifecycle.StateStarting:
		return line{fmt.Sprintf("daemon starting (pid %d)", d.PID), "", next}
	case d.State != lifecycle.StateRunning:
		return line{"stopped", v.Errors["daemon"], next}
	case v.App == nil:
		return line{"unknown", v.Errors["app"], next}
	}
	state, details := v.App.line(v.Mirrors)
	return line{state, details, next}
}

// line returns the state of the engine and its details.
func (a *appState) line(mirrors client.Counts) (state, details string) {
	running := meta.FindStatusCondition(a.Status.Conditions, appv1.ConditionRunning)
	settled := meta.FindStatusCondition(a.Status.Conditions, appv1.ConditionSettled)
	switch {
	case running == nil || settled == nil || settled.ObservedGeneration < a.Generation:
		return "changing", "the daemon has not observed the last change"
	case running.Reason == appv1.ReasonStartFailed, running.Reason == appv1.ReasonStopFailed:
		_, reason := failuretext.Split(running.Message)
		reason, _, _ = strings.Cut(reason, "\n")
		return "failed", reason
	case settled.Status == "True" && !a.Spec.Running:
		return "stopped", ""
	case running.Reason == appv1.ReasonIdle:
		return "idle", running.Message
	case settled.Status == "True":
		return "running", strings.TrimSuffix(fmt.Sprintf("%s %s with %s, %s", a.Spec.ContainerEngine.Name, a.Status.Engine.Version, a.Status.VM.Driver, mirrors.Short()), ", ")
	default:
		return strings.ToLower(running.Reason), failuretext.Short(settled.Message)
	}
}

// next returns what a user can do next, with the command.
func (v overview) next() string {
	d := v.Daemon
	switch {
	case d.Doing != "", d.State == lifecycle.StateStarting:
		return ""
	case d.State == lifecycle.StateStopped && v.Engine != nil:
		return "start the daemon, which takes over the engine, with 'rdd svc start'"
	case d.State == lifecycle.StateStopped:
		return "start the engine with 'rdd start'"
	case d.State == lifecycle.StateHung:
		return hungNext
	case d.versionsDiffer():
		return "restart the daemon with this version, and keep the engine running, with 'rdd svc restart'"
	case v.App == nil:
		return ""
	}
	running := meta.FindStatusCondition(v.App.Status.Conditions, appv1.ConditionRunning)
	settled := meta.FindStatusCondition(v.App.Status.Conditions, appv1.ConditionSettled)
	switch {
	case running == nil || settled == nil:
		return ""
	case running.Reason == appv1.ReasonStartFailed || settled.Reason == appv1.ReasonRefused:
		return "fix the cause, then retry with 'rdd start'; 'rdd svc logs' has more"
	case running.Reason == appv1.ReasonStopFailed:
		return "fix the cause, then retry with 'rdd stop'; 'rdd svc logs' has more"
	case running.Reason == appv1.ReasonIdle:
		return "use the engine, which starts the VM, or start it with 'rdd start'"
	case settled.Status == "True" && !v.App.Spec.Running:
		return "start the engine with 'rdd start'"
	}
	return ""
}

// hungNext is what a user can do about a daemon that hangs.
const hungNext = "restart the daemon, and keep the engine running, with 'rdd svc restart'; 'rdd svc logs' shows its last actions"

// commandIn returns the first command in a text, in its quotes.
func commandIn(text string) string {
	_, after, found := strings.Cut(text, "'")
	command, _, closed := strings.Cut(after, "'")
	if !found || !closed {
		return text
	}
	return "'" + command + "'"
}
