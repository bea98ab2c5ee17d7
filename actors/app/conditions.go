package app

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/failuretext"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// conditions returns the App's conditions, without transition times.
func conditions(v view) []metav1.Condition {
	running, ready := runningCondition(v), engineCondition(v)
	out := []metav1.Condition{running, ready, settledCondition(v, running, ready)}
	if v.hub.IsJoined {
		out = append(out, hubCondition(v.hub))
	}
	for i := range out {
		out[i].ObservedGeneration = v.app.Generation
	}
	return out
}

func runningCondition(v view) metav1.Condition {
	c := metav1.Condition{Type: appv1.ConditionRunning, Status: metav1.ConditionFalse, Message: v.vm.Message}
	switch v.vm.State {
	case messages.VMStarting:
		c.Reason = appv1.ReasonStarting
	case messages.VMRunning:
		c.Status, c.Reason, c.Message = metav1.ConditionTrue, appv1.ReasonStarted, v.vm.Note
	case messages.VMStopping:
		c.Reason = appv1.ReasonStopping
	case messages.VMFailed:
		c.Reason = appv1.ReasonStopFailed
		if v.vm.Desired {
			c.Reason = appv1.ReasonStartFailed
		}
	case messages.VMStopped:
		c.Reason, c.Message = appv1.ReasonStopped, v.vm.Note
		if v.isIdle() {
			c.Reason, c.Message = appv1.ReasonIdle, v.use.message
		}
	default:
		c.Reason, c.Message = appv1.ReasonStopped, v.vm.Note
	}
	return c
}

func engineCondition(v view) metav1.Condition {
	c := metav1.Condition{Type: appv1.ConditionEngineReady, Status: metav1.ConditionFalse, Message: v.engine.Message}
	switch {
	case !v.mirrored() && v.vm.State == messages.VMRunning:
		c.Status, c.Reason = metav1.ConditionTrue, appv1.ReasonNotApplicable
		c.Message = fmt.Sprintf("rdd runs the %s engine but does not mirror it", appv1.EngineContainerd)
	case v.isIdle():
		c.Reason, c.Message = appv1.ReasonIdle, v.use.message
	case v.vm.Silent && v.mirrored() && v.engine.State != messages.EngineIdle:
		// Health checks fail before the session notices.
		c.Reason, c.Message = appv1.ReasonDisconnected, v.vm.Message
	case v.engine.State == messages.EngineReady:
		c.Status, c.Reason = metav1.ConditionTrue, appv1.ReasonConnected
	case v.engine.State == messages.EngineDisconnected:
		c.Reason = appv1.ReasonDisconnected
	case v.engine.State == messages.EngineSyncing:
		c.Reason, c.Message = appv1.ReasonDisconnected, "connected, mirroring: "+v.engine.Message
	case v.engine.State == messages.EngineSuspended && v.running():
		c.Reason, c.Message = appv1.ReasonDisconnected, "the VM, which was stopped because it was idle, does not run yet"
	case v.engine.State == messages.EngineConnecting && v.engine.Failing:
		c.Reason = appv1.ReasonConnectFailed
	case v.engine.State == messages.EngineConnecting:
		c.Reason, c.Message = appv1.ReasonDisconnected, "connecting"
	default:
		c.Reason = appv1.ReasonStopped
	}
	return c
}

// hubCondition is no part of Settled: what a hub does is not in the hands of this machine.
func hubCondition(hub messages.HubChanged) metav1.Condition {
	c := metav1.Condition{Type: appv1.ConditionHubSynced, Status: metav1.ConditionFalse, Reason: hub.Reason, Message: hub.Message}
	if hub.IsSynced {
		c.Status = metav1.ConditionTrue
	}
	return c
}

// settledCondition is True when the spec of this generation is fully applied.
func settledCondition(v view, running, ready metav1.Condition) metav1.Condition {
	c := metav1.Condition{Type: appv1.ConditionSettled, Status: metav1.ConditionFalse}
	if what, reason, message := waitsFor(v, running, ready); what != "" {
		c.Reason, c.Message = reason, "waiting for "+what
		if reason == appv1.ReasonStarting {
			// During a retry, Running has the full text of the failure. A client that
			// waits has read it when it happened, and need not read it at each step.
			message = failuretext.Short(message)
		}
		if message != "" {
			c.Message += ": " + message
		}
		if v.vm.Refused && v.vm.Generation == v.app.Generation {
			c.Reason = appv1.ReasonRefused
		}
		return c
	}
	c.Status, c.Reason = metav1.ConditionTrue, appv1.ReasonSettled
	c.Message = ready.Message
	return c
}

// waitsFor returns what is still missing; what is empty when nothing is.
func waitsFor(v view, running, ready metav1.Condition) (what, reason, message string) {
	// An idle VM runs until its actor knows that no client uses it.
	desired := v.vm.Desired == desiredVM(v).Running || v.running() && v.vm.State == messages.VMRunning
	answered := v.vm.Generation == v.app.Generation && desired
	switch {
	case v.draining && v.app.Spec.Running:
		return "the daemon to end; the next daemon starts the engine again", appv1.ReasonStopping, ""
	case !answered:
		return "the VM actor to receive the change", running.Reason, running.Message
	case v.isIdle():
	case v.use.idle && v.vm.State != messages.VMRunning:
		return "the idle VM to stop", running.Reason, running.Message
	case v.running() && v.vm.State != messages.VMRunning:
		return "the engine to run", running.Reason, running.Message
	case v.running() && !v.vm.Current:
		return "the change of the engine", running.Reason, running.Message
	case v.running() && v.mirrored() && v.engine.Seq != v.engineSeq:
		return "the engine supervisor to receive the change", ready.Reason, ""
	case v.running() && ready.Status != metav1.ConditionTrue:
		return "the engine's objects to be mirrored", ready.Reason, ready.Message
	case v.running() && !v.mirrored() && !v.engineIdle():
		return "the mirrors to be removed", appv1.ReasonStopping, v.engine.Message
	case !v.running() && v.vm.State != messages.VMStopped:
		return "the engine to stop", running.Reason, running.Message
	case !v.running() && !v.engineIdle():
		return "the mirrors to be removed", appv1.ReasonStopping, v.engine.Message
	}
	return "", "", ""
}
