package laws

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
)

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
	case stays && isTrue(after, containersv1.ConditionFailed) && after.CommonStatus().Message == "":
		l.violateWrite(write, "a request has failed without a reason")
	case stays && isTrue(after, containersv1.ConditionComplete):
		l.carriedOut(write, after)
	}
}

func isFinished(r containersv1.Request) bool {
	return isTrue(r, containersv1.ConditionComplete) || isTrue(r, containersv1.ConditionFailed)
}

func isTrue(r containersv1.Request, condition string) bool {
	return meta.IsStatusConditionTrue(r.CommonStatus().Conditions, condition)
}

// startedByRequest reports whether a command starts the container that was created for a
// request that is not finished, or was not some moments ago. A request starts its
// container once.
func (j Judge) startedByRequest(verb, id string) (uid types.UID, found bool) {
	if uid = j.laws.requestOf(object{j.on, containersv1.KindContainer, id}); verb != "start" || uid == "" {
		return "", false
	}
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
		if isMirrored(p.app) && p.allowsRequests() && !isFinished(r) {
			p.add("%s %s is not finished: %s", r.RequestKind(), r.GetName(), r.CommonStatus().Message)
		}
	}
	for _, m := range p.machines {
		count := map[types.UID]int{}
		for _, o := range m.Model.Mirrors() {
			key := engine.KeyOf(o)
			uid := p.requestOf(object{m, key.Kind, key.ID})
			if count[uid]++; uid != "" && count[uid] == 2 {
				p.add("request %s has a second object on %s: %s %s", uid, m.Name, o.MirrorKind(), o.DisplayName())
			}
		}
	}
}
