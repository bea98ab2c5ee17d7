package supervisor

import (
	"fmt"
	"strings"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/task"
	containerengine "github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/laws"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/schedule"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// engineStates are the states of the engine supervisor in the terms of the laws.
var engineStates = map[messages.EngineState]laws.EngineState{
	messages.EngineIdle: laws.Idle, messages.EngineConnecting: laws.Connecting, messages.EngineSyncing: laws.Syncing,
	messages.EngineReady: laws.Ready, messages.EngineDisconnected: laws.Disconnected, messages.EngineCleaning: laws.Cleaning,
}

// Created implements world.Tree.
func (simTree) Created(of func(isHub bool) *laws.Laws, actor string) {
	isHub, engine := homeOf(actor)
	if id, ok := strings.CutPrefix(actor, engine+"/container/"); ok {
		of(isHub).MirrorStarted(id)
	}
	// A root that fails does not end its children until it is restarted.
	if actor == engine {
		of(isHub).SupervisorStarted()
	}
}

// homeOf returns the home that an actor belongs to, and the engine supervisor of that home.
func homeOf(actor string) (isHub bool, engine string) {
	const hub = rootName + "/" + hubName
	if actor == hub || strings.HasPrefix(actor, hub+"/") {
		return true, hub + "/" + engineName
	}
	return false, rootName + "/" + engineName
}

// Posted implements world.Tree.
func (simTree) Posted(of func(isHub bool) *laws.Laws, to string, message any) {
	isHub, _ := homeOf(to)
	switch m := actor.UnwrapEnvelopeMessage(message).(type) {
	case messages.EngineChanged:
		l := of(isHub)
		state, known := engineStates[m.State]
		if !known {
			panic(fmt.Errorf("the laws do not know the engine state %q", m.State))
		}
		l.EngineChanged(state, m.Failing)
	case messages.SessionEvent:
		l := of(isHub)
		switch event := m.Event.(type) {
		case containerengine.Connected:
			l.SessionConnected()
		case containerengine.Synced:
			l.SessionSynced(event.AsOf)
		}
	case messages.ChildFailed:
		of(isHub).RestartDue(m.RetryIn, m.GaveUp)
	}
}

// Describe implements schedule.Tree.
func (simTree) Describe(message any) string {
	switch m := actor.UnwrapEnvelopeMessage(message).(type) {
	case messages.MirrorChanged:
		o := m.Object
		return fmt.Sprintf("MirrorChanged %s/%.12s rv %s gen %d deleting %t", o.MirrorKind(), o.GetName(), o.GetResourceVersion(), o.GetGeneration(), o.GetDeletionTimestamp() != nil)
	case messages.MirrorRemoved:
		return fmt.Sprintf("MirrorRemoved %s/%.12s %s", m.Kind, m.Name, m.UID)
	case messages.ObjectSeen:
		return fmt.Sprintf("ObjectSeen %s/%.12s of %d", m.Object.MirrorKind(), m.Object.GetName(), m.AsOf.UnixNano())
	case messages.ObjectGone:
		return fmt.Sprintf("ObjectGone %s/%.12s of %d", m.Kind, m.Name, m.AsOf.UnixNano())
	case messages.SessionEvent:
		return "SessionEvent " + describeEvent(m.Event)
	case messages.MirrorSettled:
		return fmt.Sprintf("MirrorSettled %s/%.12s refused %t err %v", m.Kind, m.Name, m.Refused, m.Err != nil)
	case messages.MirrorFinished:
		return fmt.Sprintf("MirrorFinished %s/%.12s", m.Kind, m.Name)
	case messages.ChildFailed:
		return fmt.Sprintf("ChildFailed %s gave up %t: %s", m.Name, m.GaveUp, schedule.FirstLine(fmt.Sprint(m.Err)))
	case messages.VMChanged:
		return fmt.Sprintf("VMChanged gen %d %s desired %t current %t %s", m.Generation, m.State, m.Desired, m.Current, m.Driver)
	case messages.EnsureVM:
		return fmt.Sprintf("EnsureVM gen %d running %t %s", m.Generation, m.Running, m.Spec.Driver)
	case messages.HubChanged:
		return fmt.Sprintf("HubChanged %t %s %s", m.IsSynced, m.Reason, schedule.FirstLine(m.Message))
	case messages.LeaseChanged:
		return fmt.Sprintf("LeaseChanged held %t by %q err %v", m.IsHeld, m.Holder, m.Err)
	case messages.EngineChanged:
		return fmt.Sprintf("EngineChanged seq %d %s %s", m.Seq, m.State, schedule.FirstLine(m.Message))
	case *actor.Terminated:
		return "Terminated " + m.Who.Id
	case *actor.Failure:
		return "Failure of " + m.Who.Id
	case task.Done:
		return m.String()
	default:
		return fmt.Sprintf("%T", m)
	}
}

func describeEvent(event containerengine.Event) string {
	switch e := event.(type) {
	case containerengine.Object:
		return fmt.Sprintf("%s/%.12s of %d", e.Mirror.MirrorKind(), e.Mirror.GetName(), e.AsOf.UnixNano())
	case containerengine.Gone:
		return fmt.Sprintf("gone %s/%.12s of %d", e.Key.Kind, e.Key.ResourceName(), e.AsOf.UnixNano())
	default:
		return fmt.Sprintf("%T", e)
	}
}
