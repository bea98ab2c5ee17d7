package hub

import (
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/home"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// facts are all that the state of the hub actor follows from.
type facts struct {
	// isJoined is set if this machine has joined a hub, and joinErr if that is not known.
	isJoined bool
	joinErr  error
	// away is why no request is sent; nil while the hub answers.
	away error
	// isDelayed is set while this machine waits for its turn after the hub has returned.
	isDelayed bool
	// isHeld is set while this machine holds its Lease, and holder is another one that
	// holds it.
	isHeld bool
	holder string
	// isPrepared is set once the definitions of the hub were compared, and prepareErr is
	// why that, or the subtree, failed last.
	isPrepared bool
	prepareErr error
	// skew says what the definitions of the hub do not store.
	skew string
	// refused has the hub's words while it refuses requests of this machine.
	refused string
	// engine is what the engine supervisor of the hub reported last.
	engine messages.EngineChanged
}

// wantsSubtree reports whether the hub is to be followed.
func (f facts) wantsSubtree() bool {
	return f.isJoined && f.away == nil && !f.isDelayed && f.isHeld && f.isPrepared
}

// wantsPreparation reports whether the hub's definitions are to be compared.
func (f facts) wantsPreparation() bool {
	return f.isJoined && f.away == nil && !f.isDelayed && f.isHeld && !f.isPrepared
}

// derive returns what the app actor is to know.
func derive(f facts) messages.HubChanged {
	if f.joinErr != nil {
		return messages.HubChanged{IsJoined: true, Reason: appv1.ReasonHubInvalidJoin, Message: f.joinErr.Error()}
	}
	if !f.isJoined {
		return messages.HubChanged{}
	}
	out := messages.HubChanged{IsJoined: true, InUse: f.engine.InUse}
	out.IsSynced, out.Reason, out.Message = condition(f)
	return out
}

// condition returns the state of a machine that has joined.
func condition(f facts) (isSynced bool, reason, message string) {
	switch {
	case f.away != nil:
		return false, awayReason(f.away), f.away.Error()
	case !f.isHeld && f.holder != "":
		return false, appv1.ReasonHubHeldByOther, "another machine uses the name of this one: " + f.holder +
			": this one waits until the other leaves: if it is another machine, join with a name of its own ('rdd hub add')"
	case f.refused != "":
		return false, appv1.ReasonHubRefused, "the hub refuses: " + f.refused
	case f.prepareErr != nil:
		return false, appv1.ReasonHubRefused, f.prepareErr.Error()
	case !f.wantsSubtree():
		return false, appv1.ReasonHubConnecting, "connecting to the hub"
	}
	return engineCondition(f)
}

// engineCondition returns the state of a hub that is followed.
func engineCondition(f facts) (isSynced bool, reason, message string) {
	switch f.engine.State {
	case messages.EngineReady:
		message := f.engine.Message
		if message == "" {
			message = f.skew
		}
		return true, appv1.ReasonHubSynced, message
	case messages.EngineIdle, messages.EngineSuspended:
		return true, appv1.ReasonHubNoEngine, "no engine runs"
	case messages.EngineDisconnected:
		return false, appv1.ReasonHubEngineDisconnected, f.engine.Message
	case messages.EngineConnecting, messages.EngineSyncing, messages.EngineCleaning:
		return false, appv1.ReasonHubSyncing, f.engine.Message
	}
	return false, appv1.ReasonHubConnecting, "reading the mirrors on the hub"
}

func awayReason(err error) string {
	if _, ok := errors.AsType[*home.UnauthorizedError](err); ok {
		return appv1.ReasonHubUnauthorized
	}
	return appv1.ReasonHubAway
}

// machineConditions returns the conditions of the Machine. They are written only while the
// hub is followed.
func machineConditions(f facts) []metav1.Condition {
	ready := metav1.Condition{Type: hubv1.ConditionReady, Status: metav1.ConditionTrue, Reason: hubv1.ReasonConnected}
	switch f.engine.State {
	case messages.EngineIdle, messages.EngineSuspended, messages.EngineCleaning:
		ready.Reason = hubv1.ReasonEngineStopped
	case messages.EngineDisconnected, messages.EngineConnecting, "":
		ready.Status, ready.Reason, ready.Message = metav1.ConditionFalse, hubv1.ReasonEngineDisconnected, f.engine.Message
	case messages.EngineSyncing, messages.EngineReady:
	}
	return []metav1.Condition{ready, syncedCondition(f)}
}

func syncedCondition(f facts) metav1.Condition {
	c := metav1.Condition{Type: hubv1.ConditionSynced, Status: metav1.ConditionFalse}
	isSynced, reason, message := condition(f)
	c.Reason, c.Message = reason, message
	switch {
	case isSynced && f.skew != "":
		c.Reason, c.Message = hubv1.ReasonDefinitionsOutdated, f.skew
	case isSynced && reason == appv1.ReasonHubSynced && message != "":
		c.Reason = hubv1.ReasonMirrorsFailed
	case isSynced:
		c.Status = metav1.ConditionTrue
	}
	return c
}
