package engine

import (
	"fmt"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/mounts"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// objectSeen sends a reading to its mirror, which is created if there is none.
func (s *supervisor) objectSeen(c actor.Context, seen engine.Object) {
	if !s.isMirroring() {
		return
	}
	e := s.mirrors.ensure(seen.Mirror.MirrorKind(), seen.Mirror.GetName(), s.desired.Namespace)
	if seen.AsOf.Before(e.asOf) {
		if e.object != nil { // a newer reading found it, too
			s.sync.read(e.engineKey(), e.key)
		}
		return
	}
	s.read(c, e, seen.Mirror, seen.AsOf)
	e.engineGone = false
	s.sync.read(e.engineKey(), e.key)
	if s.isSyncing() {
		s.await(e)
	}
	if e.pid != nil && !e.isStopping && e.engine != s.client {
		// It was created to release its resource, without this engine.
		s.stopMirror(c, e)
	}
	s.send(c, e, messages.ObjectSeen{Object: e.object, AsOf: e.asOf})
}

func (s *supervisor) objectGone(c actor.Context, kind containersv1.Kind, name string, asOf time.Time) {
	e := s.mirrors.get(kind, name)
	if e == nil || asOf.Before(e.asOf) {
		return
	}
	e.object, e.asOf = nil, asOf
	s.mirrors.changed(e)
	s.send(c, e, messages.ObjectGone{Kind: kind, Name: name, AsOf: asOf})
	s.retryRefused(c, kind)
}

// syncCompleted reports everything as gone that a full sync did not find.
func (s *supervisor) syncCompleted(c actor.Context, synced engine.Synced) {
	for _, e := range s.mirrors.all() {
		if !e.asOf.Before(synced.AsOf) || slices.Contains(synced.Unread, e.engineKey()) || synced.Unlisted[e.key.kind] != nil {
			continue
		}
		if s.isSyncing() {
			s.await(e)
		}
		s.objectGone(c, e.key.kind, e.key.name, synced.AsOf)
	}
	s.sync.completed(synced)
	s.stopGrace() // the engine answers, even if it refuses to list a kind
}

// mirrorChanged sends the resource to its mirror. A resource without a reading of the
// engine waits for the first full sync.
func (s *supervisor) mirrorChanged(c actor.Context, msg messages.MirrorChanged) {
	e := s.mirrors.ensure(msg.Object.MirrorKind(), msg.Object.GetName(), msg.Object.GetNamespace())
	e.resource = msg.Object
	s.mirrors.changed(e)
	switch {
	case e.pid != nil && !e.isStopping:
		c.Send(e.pid, msg)
	case e.pid == nil && s.seq != 0 && !s.isMirroring() && !s.isSuspended:
		s.release(c, e) // it was not known when the others were released
	}
}

func (s *supervisor) mirrorRemoved(c actor.Context, msg messages.MirrorRemoved) {
	e := s.mirrors.get(msg.Kind, msg.Name)
	if e == nil || e.resource == nil || e.resource.GetUID() != msg.UID {
		return
	}
	e.resource = nil
	s.mirrors.changed(e)
	switch {
	case e.pid != nil && !e.isStopping:
		c.Send(e.pid, msg)
	case e.pid == nil && !e.exists():
		s.remove(c, e)
	}
}

// mirrorRead keeps what a mirror has read, for its next incarnation: the last reading
// of the session can be from before a failed start, which causes no event.
func (s *supervisor) mirrorRead(c actor.Context, msg messages.MirrorRead) {
	e := s.mirrors.get(msg.Object.MirrorKind(), msg.Object.GetName())
	if e == nil || e.engineGone || msg.AsOf.Before(e.asOf) {
		return
	}
	s.read(c, e, msg.Object, msg.AsOf)
}

// read stores a reading of an object. A container that has stopped or has left a network
// can have freed what the engine needs for a request that it refused. The readings of a
// refused one are skipped: each attempt for it can cause one.
func (s *supervisor) read(c actor.Context, e *entry, object containersv1.Mirror, asOf time.Time) {
	before := e.object
	e.object, e.asOf = object, asOf
	s.mirrors.changed(e)
	if _, isRefused := s.mirrors.refused[e]; isRefused || len(s.mirrors.refused) == 0 || !hasFreed(before, object) {
		return
	}
	for other := range s.mirrors.refused {
		if other.key.kind.IsUnblockedByStop() && other.isUnblockedBy(e.key.kind) {
			c.Send(other.pid, messages.RetryNow{})
		}
	}
}

// hasFreed reports whether a container has stopped or has left a network between two
// readings.
func hasFreed(before, after containersv1.Mirror) bool {
	old, isContainer := before.(*containersv1.Container)
	if !isContainer {
		return false
	}
	was, is := &old.Status, &after.(*containersv1.Container).Status
	return was.Status.IsActive() && !is.Status.IsActive() ||
		slices.ContainsFunc(was.Networks, func(n containersv1.ContainerNetwork) bool {
			return !slices.ContainsFunc(is.Networks, func(m containersv1.ContainerNetwork) bool { return m.Name == n.Name })
		})
}

func (s *supervisor) mirrorSettled(msg messages.MirrorSettled) {
	e := s.mirrors.get(msg.Kind, msg.Name)
	if e == nil {
		return
	}
	s.mirrors.setRefused(e, msg.Refused)
	if !msg.AsOf.Before(e.asOf) {
		s.sync.settled(e.key, msg.Err)
	}
}

// mirrorFinished stops a mirror whose resource and object are gone, unless the
// supervisor has a newer fact.
func (s *supervisor) mirrorFinished(c actor.Context, msg messages.MirrorFinished) {
	e := s.mirrors.get(msg.Kind, msg.Name)
	if e == nil || e.pid == nil || e.isStopping {
		return
	}
	if e.resource != nil && e.resource.GetUID() == msg.Removed {
		e.resource = nil // the informers report its removal later
		s.mirrors.changed(e)
	}
	if e.resource != nil {
		return
	}
	if !e.engineGone && (e.object != nil || e.asOf.After(msg.AsOf)) {
		return
	}
	e.object = nil
	s.mirrors.changed(e)
	s.stopMirror(c, e)
}

func (s *supervisor) stopMirror(c actor.Context, e *entry) {
	e.isStopping = true
	c.Stop(e.pid)
}

// remove removes an entry that has neither resource nor object.
func (s *supervisor) remove(c actor.Context, e *entry) {
	s.mirrors.remove(e)
	s.sync.settled(e.key, nil)
	s.retryRefused(c, e.key.kind)
}

// retryRefused retries what the engine can have refused because of an object of this
// kind, which is gone now.
func (s *supervisor) retryRefused(c actor.Context, gone containersv1.Kind) {
	for e := range s.mirrors.refused {
		if e.isUnblockedBy(gone) {
			c.Send(e.pid, messages.RetryNow{})
		}
	}
}

// release has a mirror remove its resource, because its engine is gone. It ends a pause
// of the mirror.
func (s *supervisor) release(c actor.Context, e *entry) {
	e.engineGone, e.object = true, nil
	s.mirrors.changed(e)
	e.restarts.reset()
	s.send(c, e, messages.EngineGone{})
}

// send sends msg to the mirror. A new mirror receives all facts, msg included.
func (s *supervisor) send(c actor.Context, e *entry, msg messages.ToMirror) {
	switch {
	case e.isStopping || e.restarts.isPaused:
	case e.pid == nil:
		s.spawnMirror(c, e)
	default:
		c.Send(e.pid, msg)
	}
}

// spawnMirror creates the actor of a mirror, and sends it all facts.
func (s *supervisor) spawnMirror(c actor.Context, e *entry) {
	spec := MirrorSpec{Kind: e.key.kind, Name: e.key.name, Namespace: e.namespace, Engine: s.client}
	if d := s.desired; d != nil && d.InVM {
		spec.IsUnshared = func(path string) bool { return mounts.IsUnshared(d.Mounts, path) }
	}
	props := s.Props(c.Self().Id+"/"+e.key.path(), func(report func(string)) actor.Actor {
		spec.Report = report
		return s.NewMirror(spec)
	})
	pid, err := c.SpawnNamed(props, e.key.path())
	if err != nil {
		panic(fmt.Errorf("spawn mirror %s: %w", e.key.path(), err))
	}
	e.engine, e.restarts.startedAt, e.restarts.isPaused = s.client, time.Now(), false
	s.mirrors.started(e, pid)
	e.resendState(c)
}
