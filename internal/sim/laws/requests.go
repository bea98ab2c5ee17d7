package laws

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/machine"
)

// requestVerbs are the commands that only requests cause.
func requestVerbs() []string { return []string{"create", "connect", "discard"} }

// requestWritten checks a write of a daemon to a request: its outcome is written once.
func (l *Laws) requestWritten(write cluster.Write) {
	before, ok := write.Before.(containersv1.Request)
	after, stays := write.After.(containersv1.Request)
	switch {
	case !ok:
		l.violateWrite(write, "rdd has created a request")
	case !stays && !isFinished(before):
		l.violateWrite(write, "a request that is not finished was deleted")
	case stays && isFinished(before):
		l.violateWrite(write, "the outcome of a request was changed")
	case stays && isTrue(after, containersv1.ConditionComplete) && isTrue(after, containersv1.ConditionFailed):
		l.violateWrite(write, "a request is complete and has failed")
	}
}

func isFinished(r containersv1.Request) bool {
	return isTrue(r, containersv1.ConditionComplete) || isTrue(r, containersv1.ConditionFailed)
}

func isTrue(r containersv1.Request, condition string) bool {
	return meta.IsStatusConditionTrue(r.CommonStatus().Conditions, condition)
}

// startedByRequest reports whether a command starts the container of a request that is
// not finished, or was not some moments ago. A request starts its container once.
func (j Judge) startedByRequest(verb, id string) (uid types.UID, found bool) {
	if verb != "start" {
		return "", false
	}
	c, err := j.on.Model.Container(id)
	if err != nil || c.Labels[containersv1.RequestLabel] == "" {
		return "", false
	}
	uid = types.UID(c.Labels[containersv1.RequestLabel])
	since := time.Now().Add(-j.laws.acting())
	return uid, slices.ContainsFunc(j.laws.cluster.RequestsSince(since), func(r containersv1.Request) bool {
		return r.GetUID() == uid && !isFinished(r)
	})
}

// startedOnce counts the starts of the container of a request.
func (l *Laws) startedOnce(uid types.UID) {
	l.with(func() {
		if l.starts[uid]++; l.starts[uid] > 1 {
			l.violate("the container of request %s was started %d times", uid, l.starts[uid])
		}
	})
}

// requests adds the requests that are not finished although the engine is connected,
// and the objects that an engine has twice.
func (p *problems) requests() {
	for _, r := range p.cluster.Requests() {
		if isMirrored(p.app) && !isFinished(r) {
			p.add("%s %s is not finished: %s", r.RequestKind(), r.GetName(), r.CommonStatus().Message)
		}
	}
	for _, m := range p.machines {
		for _, twice := range objectsTwice(m) {
			p.add("%s", twice)
		}
	}
}

// objectsTwice returns the requests that have several objects on a machine.
func objectsTwice(m *machine.Machine) (found []string) {
	count := map[string]int{}
	for _, o := range m.Model.Mirrors() {
		uid := requestOf(o)
		if uid == "" || inheritsLabel(m, o, uid) {
			continue
		}
		if count[uid]++; count[uid] == 2 {
			found = append(found, fmt.Sprintf("request %s has a second object on %s: %s %s", uid, m.Name, o.MirrorKind(), o.DisplayName()))
		}
	}
	return found
}

// inheritsLabel reports whether a container has the label of its image, which was made
// of the container of a request.
func inheritsLabel(m *machine.Machine, o containersv1.Mirror, uid string) bool {
	if o.MirrorKind() != containersv1.KindContainer {
		return false
	}
	c, err := m.Model.Container(o.ObjectID())
	if err != nil {
		return false
	}
	image, err := m.Model.Image(c.ImageID)
	return err == nil && image.Labels[containersv1.RequestLabel] == uid
}

// requestOf returns the UID of the request that an object came of; empty for none. The
// image of a container has the container's label, and came of no request.
func requestOf(o containersv1.Mirror) string {
	switch o := o.(type) {
	case *containersv1.Container:
		return o.Status.Labels[containersv1.RequestLabel]
	case *containersv1.Volume:
		return o.Status.Labels[containersv1.RequestLabel]
	case *containersv1.Network:
		return o.Status.Labels[containersv1.RequestLabel]
	default:
		return ""
	}
}
