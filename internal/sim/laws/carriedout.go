package laws

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/machine"
)

// requestVerbs are the commands that only requests cause.
func requestVerbs() []string {
	return []string{"create", "connect", "discard", "pull", "push", "tag", "prune"}
}

// object is an object of an engine.
type object struct {
	on   *machine.Machine
	kind containersv1.Kind
	id   string
}

// Made records the object that a command has created for a request.
func (j Judge) Made(kind containersv1.Kind, id string, request types.UID) {
	j.laws.with(func() { j.laws.made[object{j.on, kind, id}] = request })
}

// requestOf returns the UID of the request for which an object was created; empty for none.
// A label proves nothing: docker commit copies it.
func (l *Laws) requestOf(o object) (uid types.UID) {
	l.with(func() { uid = l.made[o] })
	return uid
}

// asked reports whether a request that is not finished, or was not some moments ago, asks
// for a command.
func (j Judge) asked(verb string, kind containersv1.Kind, id string) bool {
	if !j.laws.allowsRequests() {
		return false
	}
	since := time.Now().Add(-j.laws.acting())
	return slices.ContainsFunc(j.laws.cluster.RequestsSince(since), func(r containersv1.Request) bool {
		return !isFinished(r) && j.asks(r, verb, kind, id)
	})
}

// asks reports whether a request asks for a command.
func (j Judge) asks(r containersv1.Request, verb string, kind containersv1.Kind, id string) bool {
	switch verb {
	case "create":
		return creates(r, kind, id)
	case "discard":
		return j.laws.requestOf(object{j.on, kind, id}) == r.GetUID()
	}
	switch r := r.(type) {
	case *containersv1.ContainerCreateRequest:
		return verb == "connect" && slices.Contains(r.Spec.Networks, id) ||
			verb == "pull" && r.Spec.Image == id && r.Spec.PullPolicy != containersv1.PullNever
	case *containersv1.ImagePullRequest:
		return verb == "pull" && r.Spec.Image == id
	case *containersv1.ImagePushRequest:
		return verb == "push" && r.Spec.Image == id
	case *containersv1.ImageTagRequest:
		return verb == "tag" && r.Spec.Image == id
	case *containersv1.PruneRequest:
		return (verb == "prune" || verb == "remove") && prunes(r.Spec, kind, id)
	}
	return false
}

// creates reports whether a request asks for an object of this name.
func creates(r containersv1.Request, kind containersv1.Kind, name string) bool {
	byDefault := r.GetName() + "-" + string(r.GetUID())[:min(len(r.GetUID()), 8)]
	switch r := r.(type) {
	case *containersv1.ContainerCreateRequest:
		return kind == containersv1.KindContainer && cmp.Or(r.Spec.Name, byDefault) == name
	case *containersv1.VolumeCreateRequest:
		return kind == containersv1.KindVolume && cmp.Or(r.Spec.Name, byDefault) == name
	case *containersv1.NetworkCreateRequest:
		return kind == containersv1.KindNetwork && cmp.Or(r.Spec.Name, byDefault) == name
	}
	return false
}

// prunes reports whether a prune may remove an object.
func prunes(spec containersv1.PruneRequestSpec, kind containersv1.Kind, id string) bool {
	isTag := kind == containersv1.KindImage && !strings.HasPrefix(id, "sha256:")
	return !spec.DryRun && slices.Contains(spec.Kinds, containersv1.PruneKind(kind)) && (spec.All || !isTag)
}

// carriedOut checks the outcome of a request that is complete.
func (l *Laws) carriedOut(write cluster.Write, r containersv1.Request) {
	since, result := r.GetCreationTimestamp().Time, r.CommonStatus().Result
	if at := r.CommonStatus().StartedAt; at != nil {
		since = at.Time
	}
	switch r := r.(type) {
	case *containersv1.ImagePullRequest, *containersv1.ImageTagRequest:
		if result == nil || result.Kind != containersv1.KindImage || !l.existed(*result, since) {
			l.violateWrite(write, "no engine has had the image of a complete request: %+v", result)
		}
	case *containersv1.ImagePushRequest:
		if !strings.HasPrefix(r.Status.Digest, "sha256:") {
			l.violateWrite(write, "an image was pushed without a digest: %q", r.Status.Digest)
		}
	case *containersv1.PruneRequest:
		for _, p := range r.Status.Pruned {
			if !r.Spec.DryRun && !l.wasRemoved(p, since) {
				l.violateWrite(write, "%s %s was not removed, and the request says so", p.Kind, p.Name)
			}
		}
	default:
		if result == nil || !l.madeFor(r.GetUID(), *result) {
			l.violateWrite(write, "the result %+v was not created for the request", result)
		}
	}
}

// madeFor reports whether a result of a request is what was created for it.
func (l *Laws) madeFor(request types.UID, result containersv1.RequestResult) (found bool) {
	l.with(func() {
		for o, by := range l.made {
			key := engine.Key{Kind: o.kind, ID: o.id}
			found = found || by == request && key.Kind == result.Kind && key.ResourceName() == result.Name
		}
	})
	return found
}

// existed reports whether an engine had an object at any moment since a time.
func (l *Laws) existed(o containersv1.RequestResult, since time.Time) bool {
	return slices.ContainsFunc(l.machines, func(m *machine.Machine) bool { return m.Model.Existed(o.Kind, o.Name, since) })
}

// wasRemoved reports whether an engine lacked an object, which it had before, at any
// moment since a time.
func (l *Laws) wasRemoved(o containersv1.PrunedObject, since time.Time) bool {
	return slices.ContainsFunc(l.machines, func(m *machine.Machine) bool {
		return len(m.Model.Versions(o.Kind, o.Resource)) > 0 && m.Model.WasAbsent(o.Kind, o.Resource, since)
	})
}
