package engine

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// key names a mirror.
type key struct {
	kind containersv1.Kind
	name string
}

// path is the name of the mirror's actor below the engine supervisor.
func (k key) path() string { return strings.ToLower(string(k.kind)) + "/" + k.name }

// entry is what the supervisor knows of one mirror. It keeps the last word of
// both sides, so that a restarted mirror can be told again.
type entry struct {
	key key
	// namespace of Kubernetes in which the resource lives, or will.
	namespace string
	// pid is nil until the first thing is to be done.
	pid *actor.PID
	// dialed is the connection that the actor was made with; see supervisor.dialed.
	dialed int
	// stopping is set from the order to stop until the actor has ended.
	stopping bool
	// lost is set when its engine is gone.
	lost bool
	// resource as the informer has it; nil when there is none.
	resource containersv1.Mirror
	// seen is the last reading of the engine's object; nil when there is none.
	seen *messages.ObjectSeen
	// asOf is when the last reading was begun, of presence or absence.
	asOf time.Time
	// rests are the pauses of a mirror that fails for good.
	rests rests
	// refused is set while the engine refuses the user's wish.
	refused bool
}

// alive is whether there is anything to mirror.
func (e *entry) alive() bool { return e.resource != nil || e.seen != nil }

// tellAll tells the mirror everything.
func (e *entry) tellAll(c actor.Context) {
	if e.resource != nil {
		c.Send(e.pid, messages.MirrorChanged{Object: e.resource})
	}
	switch {
	case e.lost:
		c.Send(e.pid, messages.EngineLost{})
	case e.seen != nil:
		c.Send(e.pid, *e.seen)
	case !e.asOf.IsZero():
		c.Send(e.pid, messages.ObjectGone{Kind: e.key.kind, Name: e.key.name, AsOf: e.asOf})
	}
}

// registry finds mirrors by name and by actor.
type registry struct {
	entries map[key]*entry
	actors  map[string]*entry
	refused map[*entry]struct{}
}

func newRegistry() registry {
	return registry{entries: map[key]*entry{}, actors: map[string]*entry{}, refused: map[*entry]struct{}{}}
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
	e.pid, e.stopping = pid, false
	r.actors[pid.Id] = e
}

// ended takes note that an actor has ended and answers whose it was, and
// whether it had been asked to.
func (r registry) ended(pid *actor.PID) (e *entry, asked bool) {
	e = r.actors[pid.Id]
	if e == nil {
		return nil, false
	}
	delete(r.actors, pid.Id)
	asked = e.stopping
	e.pid, e.stopping = nil, false
	return e, asked
}

// known returns the mirrors as they were last read, or as their resources are, sorted.
func (r registry) known() []containersv1.Mirror {
	known := make([]containersv1.Mirror, 0, len(r.entries))
	for _, e := range r.entries {
		switch {
		case e.seen != nil:
			known = append(known, e.seen.Object)
		case e.resource != nil:
			known = append(known, e.resource)
		}
	}
	slices.SortFunc(known, func(a, b containersv1.Mirror) int {
		return cmp.Or(cmp.Compare(a.MirrorKind(), b.MirrorKind()), cmp.Compare(a.GetName(), b.GetName()))
	})
	return known
}

func (r registry) setRefused(e *entry, refused bool) {
	e.refused = refused
	if refused {
		r.refused[e] = struct{}{}
		return
	}
	delete(r.refused, e)
}

func (r registry) remove(e *entry) {
	delete(r.entries, e.key)
	delete(r.refused, e)
}
