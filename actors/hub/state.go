package hub

import (
	"cmp"
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

// condition returns the state of a machine that has joined. The message of a state other
// than Synced is a sentence with the next step, or with what rdd does.
func condition(f facts) (isSynced bool, reason, message string) {
	switch {
	case f.away != nil:
		return false, awayReason(f.away), awayMessage(f.away)
	case !f.isHeld && f.holder != "":
		return false, appv1.ReasonHubHeldByOther, "another machine uses the name of this one: " + f.holder +
			": this one waits until the other leaves: if it is another machine, join with a name of its own ('rdd hub add')"
	case f.prepareErr != nil:
		return false, appv1.ReasonHubRefused, f.prepareErr.Error()
	case f.refused != "":
		return false, appv1.ReasonHubRefused, "the hub refuses requests of this machine: " + f.refused +
			": rdd retries: an administrator of the hub restores the rights with 'rdd hub add', or raises the quota"
	case f.isDelayed:
		return false, appv1.ReasonHubConnecting, "the hub has returned, and this machine waits for its turn of at most " + spread.String()
	case !f.isHeld:
		return false, appv1.ReasonHubConnecting, "acquiring the Lease of this machine on the hub"
	case !f.wantsSubtree():
		return false, appv1.ReasonHubConnecting, "comparing the definitions on the hub with those of this rdd"
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
	case messages.EngineIdle:
		return true, appv1.ReasonHubNoEngine, "no engine runs, so the hub has no mirrors: 'rdd start' starts one"
	case messages.EngineSuspended:
		return true, appv1.ReasonHubNoEngine, "the engine is stopped, because it is idle, and its mirrors stay on the hub: the next use starts it"
	case messages.EngineDisconnected:
		return false, appv1.ReasonHubEngineDisconnected, cmp.Or(f.engine.Message, "the engine does not answer: rdd retries: 'rdd status' shows the reason")
	case messages.EngineConnecting:
		return false, appv1.ReasonHubSyncing, cmp.Or(f.engine.Message, "connecting to the engine, for the mirrors on the hub")
	case messages.EngineSyncing:
		return false, appv1.ReasonHubSyncing, cmp.Or(f.engine.Message, "comparing the mirrors on the hub with the engine's objects")
	case messages.EngineCleaning:
		return false, appv1.ReasonHubSyncing, cmp.Or(f.engine.Message, "removing the mirrors of an engine that is no longer used from the hub")
	}
	return false, appv1.ReasonHubConnecting, "reading the mirrors on the hub"
}

func awayReason(err error) string {
	if _, ok := errors.AsType[*home.UnauthorizedError](err); ok {
		return appv1.ReasonHubUnauthorized
	}
	return appv1.ReasonHubAway
}

// awayMessage returns what a user should know about a hub that is away. An error about
// credentials has its own next step.
func awayMessage(err error) string {
	if _, ok := errors.AsType[*home.UnauthorizedError](err); ok {
		return err.Error()
	}
	return "the hub is away: " + err.Error() + ": local work continues, and rdd retries every few seconds: " +
		"if the hub should be there, check the network and the server of the join file, or ask an administrator of the hub"
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
