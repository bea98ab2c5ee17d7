package engine

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// key names a mirror.
type key struct {
	kind containersv1.Kind
	name string
}

// path is the name of the mirror's actor below the engine supervisor.
func (k key) path() string { return strings.ToLower(string(k.kind)) + "/" + k.name }

// entry is one mirror: its actor, and the last facts of both sides, with which a
// restarted actor begins.
type entry struct {
	key key
	// namespace of Kubernetes of the resource.
	namespace string
	// pid is nil while there is no actor.
	pid *actor.PID
	// engine that the actor was created with; nil for one that only releases its
	// resource.
	engine engine.Engine
	// isStopping is set from the order to stop until the actor has ended.
	isStopping bool
	restarts   restarts
	// resource is the informer's copy; nil when there is none.
	resource containersv1.Mirror
	// object is the last reading of the engine's object; nil when there is none.
	object containersv1.Mirror
	// asOf is when the last reading began, whether it found the object or not.
	asOf time.Time
	// engineGone is set when the mirror is released because its engine is gone.
	engineGone bool
}

// exists reports whether there is a resource or an object.
func (e *entry) exists() bool { return e.resource != nil || e.object != nil }

// resendState sends a new actor all facts.
func (e *entry) resendState(c actor.Context) {
	if e.resource != nil {
		c.Send(e.pid, messages.MirrorChanged{Object: e.resource})
	}
	switch {
	case e.engineGone:
		c.Send(e.pid, messages.EngineGone{})
	case e.object != nil:
		c.Send(e.pid, messages.ObjectSeen{Object: e.object, AsOf: e.asOf})
	case !e.asOf.IsZero():
		c.Send(e.pid, messages.ObjectGone{Kind: e.key.kind, Name: e.key.name, AsOf: e.asOf})
	}
}

// isUnblockedBy reports whether the engine may do what it refused for this mirror after
// the removal of an object of a kind.
func (e *entry) isUnblockedBy(gone containersv1.Kind) bool {
	return e.pid != nil && !e.isStopping && e.key.kind.IsUnblockedBy(gone) &&
		(e.resource == nil || !containersv1.IsPredefined(e.resource))
}

// engineKey returns the key of the engine's object, without a tag.
func (e *entry) engineKey() engine.Key {
	id := e.key.name
	switch {
	case e.object != nil:
		id = e.object.ObjectID()
	case e.resource != nil:
		id = e.resource.ObjectID()
	}
	return engine.Key{Kind: e.key.kind, ID: id}
}

// isInUse reports whether the engine is used because of this mirror: its container is
// active, or a user requests something of it that is not carried out yet.
func (e *entry) isInUse() bool {
	if c, ok := e.object.(*containersv1.Container); ok && c.Status.Status.IsActive() {
		return true
	}
	if e.resource == nil {
		return false
	}
	if e.resource.GetDeletionTimestamp() != nil {
		return slices.Contains(e.resource.GetFinalizers(), containersv1.Finalizer)
	}
	c, ok := e.resource.(*containersv1.Container)
	return ok && (c.RequestedAction() != "" || c.HasPendingState())
}

// registry finds mirrors by name and by actor. The engine refuses the desired state of
// those that are refused.
type registry struct {
	entries map[key]*entry
	actors  map[string]*entry
	refused map[*entry]struct{}
	inUse   map[*entry]struct{}
}

func newRegistry() registry {
	return registry{entries: map[key]*entry{}, actors: map[string]*entry{}, refused: map[*entry]struct{}{}, inUse: map[*entry]struct{}{}}
}

func (r registry) empty() bool { return len(r.entries) == 0 }

func (r registry) all() map[key]*entry { return r.entries }

func (r registry) get(kind containersv1.Kind, name string) *entry { return r.entries[key{kind, name}] }

func (r registry) byPath(kind, name string) *entry {
	for _, k := range containersv1.Kinds() {
		if strings.EqualFold(string(k), kind) {
			return r.get(k, name)
		}
	}
	return nil
}

func (r registry) ensure(kind containersv1.Kind, name, namespace string) *entry {
	k := key{kind, name}
	e := r.entries[k]
	if e == nil {
		e = &entry{key: k, namespace: namespace}
		r.entries[k] = e
	}
	return e
}

func (r registry) started(e *entry, pid *actor.PID) {
	e.pid, e.isStopping = pid, false
	r.actors[pid.Id] = e
}

// ended records the end of an actor. It returns the entry, and whether the actor had
// been stopped.
func (r registry) ended(pid *actor.PID) (e *entry, wasStopping bool) {
	e = r.actors[pid.Id]
	if e == nil {
		return nil, false
	}
	delete(r.actors, pid.Id)
	wasStopping = e.isStopping
	e.pid, e.isStopping = nil, false
	return e, wasStopping
}

// known returns the mirrors as they were last read, or as their resources are, sorted.
func (r registry) known() []containersv1.Mirror {
	known := make([]containersv1.Mirror, 0, len(r.entries))
	for _, e := range r.entries {
		switch {
		case e.object != nil:
			known = append(known, e.object)
		case e.resource != nil:
			known = append(known, e.resource)
		}
	}
	slices.SortFunc(known, func(a, b containersv1.Mirror) int {
		return cmp.Or(cmp.Compare(a.MirrorKind(), b.MirrorKind()), cmp.Compare(a.GetName(), b.GetName()))
	})
	return known
}

func (r registry) setRefused(e *entry, isRefused bool) {
	if isRefused {
		r.refused[e] = struct{}{}
	} else {
		delete(r.refused, e)
	}
}

// changed records whether the engine is used because of a mirror that has changed.
func (r registry) changed(e *entry) {
	if e.isInUse() {
		r.inUse[e] = struct{}{}
	} else {
		delete(r.inUse, e)
	}
}

func (r registry) remove(e *entry) {
	delete(r.entries, e.key)
	delete(r.refused, e)
	delete(r.inUse, e)
}
