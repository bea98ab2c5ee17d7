package engine

import (
	"fmt"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// objectSeen hands a reading to its mirror, which is made if there is none.
func (s *supervisor) objectSeen(c actor.Context, msg messages.ObjectSeen) {
	if s.want == nil || s.state == messages.EngineCleaning {
		return
	}
	e := s.mirrors.ensure(msg.Object.MirrorKind(), msg.Object.GetName(), s.want.Namespace)
	if msg.AsOf.Before(e.asOf) {
		if e.seen != nil { // it could be read all the same
			s.sync.read(e.object(), e.key)
		}
		return
	}
	e.seen, e.asOf, e.lost = &msg, msg.AsOf, false
	s.sync.read(e.object(), e.key)
	if s.state == messages.EngineSyncing {
		s.await(e)
	}
	if e.pid != nil && !e.stopping && e.dialed != s.dialed {
		// It was made to take its resource away, without this engine. Another one
		// follows it.
		e.stopping = true
		c.Stop(e.pid)
	}
	s.tell(c, e, msg)
}

func (s *supervisor) objectGone(c actor.Context, msg messages.ObjectGone) {
	e := s.mirrors.get(msg.Kind, msg.Name)
	if e == nil || msg.AsOf.Before(e.asOf) {
		return
	}
	e.seen, e.asOf = nil, msg.AsOf
	s.tell(c, e, msg)
	s.retryRefused(c, msg.Kind)
}

// syncCompleted lets go of everything that a full sync did not find.
func (s *supervisor) syncCompleted(c actor.Context, msg engine.Synced) {
	for _, e := range s.mirrors.all() {
		if !e.asOf.Before(msg.AsOf) || slices.Contains(msg.Unread, e.object()) {
			continue
		}
		if s.state == messages.EngineSyncing {
			s.await(e)
		}
		s.objectGone(c, messages.ObjectGone{Kind: e.key.kind, Name: e.key.name, AsOf: msg.AsOf})
	}
	s.sync.completed(msg.Unread)
	s.checkReady()
}

// object returns the key of the engine's object, without a tag.
func (e *entry) object() engine.Key { return engine.Key{Kind: e.key.kind, ID: e.engineID()} }

// engineID is the engine's own ID of the object, whatever tag the mirror is for.
func (e *entry) engineID() string {
	m := e.resource
	if e.seen != nil {
		m = e.seen.Object
	}
	if m == nil {
		return e.key.name
	}
	return m.ObjectID()
}

// mirrorChanged hands the resource to its mirror. A resource of which the
// engine has said nothing yet waits for the first full sync.
func (s *supervisor) mirrorChanged(c actor.Context, msg messages.MirrorChanged) {
	e := s.mirrors.ensure(msg.Object.MirrorKind(), msg.Object.GetName(), msg.Object.GetNamespace())
	e.resource = msg.Object
	switch {
	case e.pid != nil && !e.stopping:
		c.Send(e.pid, msg)
	case e.pid == nil && s.want == nil && s.seq != 0:
		// No engine is wanted, and this one was not known when that was said.
		s.setState(messages.EngineCleaning)
		s.lose(c, e)
	case e.pid == nil && s.state == messages.EngineCleaning:
		s.lose(c, e)
	}
}

func (s *supervisor) mirrorRemoved(c actor.Context, msg messages.MirrorRemoved) {
	e := s.mirrors.get(msg.Kind, msg.Name)
	if e == nil || e.resource == nil || e.resource.GetUID() != msg.UID {
		return
	}
	e.resource = nil
	switch {
	case e.pid != nil && !e.stopping:
		c.Send(e.pid, msg)
	case e.pid == nil && !e.alive():
		s.forget(c, e)
	}
}

// mirrorRead keeps what a mirror has read for whoever follows it: the last
// reading of the session may be from before a start that failed, of which no
// event tells.
func (s *supervisor) mirrorRead(msg messages.MirrorRead) {
	e := s.mirrors.get(msg.Object.MirrorKind(), msg.Object.GetName())
	if e == nil || e.lost || msg.AsOf.Before(e.asOf) {
		return
	}
	e.seen, e.asOf = &messages.ObjectSeen{Object: msg.Object, AsOf: msg.AsOf}, msg.AsOf
}

func (s *supervisor) mirrorSettled(msg messages.MirrorSettled) {
	e := s.mirrors.get(msg.Kind, msg.Name)
	if e == nil {
		return
	}
	if e.refused != msg.Refused {
		s.mirrors.setRefused(e, msg.Refused)
	}
	if !msg.AsOf.Before(e.asOf) {
		s.sync.settled(e.key, msg.Err)
		s.checkReady()
	}
}

// mirrorFinished stops a mirror that has nothing left, unless something new is
// on its way to it.
func (s *supervisor) mirrorFinished(c actor.Context, msg messages.MirrorFinished) {
	e := s.mirrors.get(msg.Kind, msg.Name)
	if e == nil || e.pid == nil || e.stopping {
		return
	}
	if e.resource != nil && e.resource.GetUID() == msg.Removed {
		// The next mirror would take what the informers still have for what is there.
		e.resource = nil
	}
	if e.resource != nil {
		return
	}
	if !e.lost && (e.seen != nil || e.asOf.After(msg.AsOf)) {
		return
	}
	e.seen, e.stopping = nil, true
	c.Stop(e.pid)
}

// forget lets an entry go for which neither resource nor object is left.
func (s *supervisor) forget(c actor.Context, e *entry) {
	s.mirrors.remove(e)
	s.sync.settled(e.key, nil)
	s.checkReady()
	s.retryRefused(c, e.key.kind)
	s.cleaned()
}

// retryRefused retries what the engine may have refused because of an object of
// this kind, which is gone now.
func (s *supervisor) retryRefused(c actor.Context, gone containersv1.Kind) {
	for e := range s.mirrors.refused {
		if e.pid != nil && !e.stopping && e.key.kind.IsUnblockedBy(gone) {
			c.Send(e.pid, messages.RetryNow{})
		}
	}
}

// lose tells a mirror that its engine is gone.
func (s *supervisor) lose(c actor.Context, e *entry) {
	e.lost, e.seen = true, nil
	e.rests = rests{}
	s.tell(c, e, messages.EngineLost{})
}

// tell sends msg to the mirror; a new mirror is told everything, msg included.
func (s *supervisor) tell(c actor.Context, e *entry, msg any) {
	switch {
	case e.stopping || e.rests.resting:
	case e.pid == nil:
		s.spawnMirror(c, e)
		e.tellAll(c)
	default:
		c.Send(e.pid, msg)
	}
}

func (s *supervisor) spawnMirror(c actor.Context, e *entry) {
	spec := MirrorSpec{Kind: e.key.kind, Name: e.key.name, Namespace: e.namespace, Engine: s.client}
	props := s.Props(c.Self().Id+"/"+e.key.path(), func(report func(string)) actor.Actor {
		spec.Report = report
		return s.NewMirror(spec)
	})
	pid, err := c.SpawnNamed(props, e.key.path())
	if err != nil {
		panic(fmt.Errorf("spawn mirror %s: %w", e.key.path(), err))
	}
	e.dialed, e.rests.spawned, e.rests.resting = s.dialed, time.Now(), false
	s.mirrors.started(e, pid)
}
