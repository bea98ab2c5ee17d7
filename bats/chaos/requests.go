package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

// requestTimeout is how long a request may take to end after the faults: the longest
// pause before a retry, and some seconds more.
const requestTimeout = 45 * time.Second

// asked is a request that a user has created.
type asked struct {
	object containersv1.Request
	began  time.Time
	// acknowledged is set when the API server has accepted it.
	acknowledged bool
	// completed is when the daemon had carried it out, or had given it up; zero before.
	completed time.Time
	// ended is when the judge has seen it finished; zero before. A call of an attempt that
	// the daemon has given up can arrive at the engine until then.
	ended time.Time
}

// ask creates a request.
func (w *user) ask(ctx context.Context, api client.Client) {
	ttl := int32(containersv1.DefaultTTLSecondsAfterFinished)
	object := w.draft(containersv1.RequestSpec{TTLSecondsAfterFinished: &ttl})
	object.SetName(fmt.Sprintf("ask-%d", w.next()))
	object.SetNamespace(appv1.DefaultNamespace)
	a := w.ledger.asks(object.(containersv1.Request))
	if err := api.Create(ctx, object); err == nil {
		w.ledger.granted(a)
	}
}

// draft returns a request without a name.
func (w *user) draft(common containersv1.RequestSpec) client.Object {
	switch w.random.IntN(9) {
	case 0, 1:
		return &containersv1.VolumeCreateRequest{Spec: containersv1.VolumeCreateRequestSpec{RequestSpec: common}}
	case 2, 3:
		return &containersv1.ContainerCreateRequest{Spec: containersv1.ContainerCreateRequestSpec{
			RequestSpec: common, Image: base, PullPolicy: containersv1.PullNever, StopSignal: "SIGKILL",
			State: []containersv1.RequestedState{containersv1.RequestedRunning, containersv1.RequestedCreated}[w.random.IntN(2)],
		}}
	case 4, 5:
		return &containersv1.ImagePullRequest{Spec: containersv1.ImagePullRequestSpec{RequestSpec: common, Image: w.registry.remote(w.random.IntN(remoteImages))}}
	case 6:
		return &containersv1.ImageTagRequest{Spec: containersv1.ImageTagRequestSpec{RequestSpec: common, Image: w.someImage(), Tag: w.registry.local(w.random.IntN(localTags))}}
	case 7:
		return &containersv1.ImagePushRequest{Spec: containersv1.ImagePushRequestSpec{RequestSpec: common, Image: w.registry.local(w.random.IntN(localTags))}}
	default:
		return &containersv1.PruneRequest{Spec: w.prune(common)}
	}
}

// someImage returns an image that may be gone.
func (w *user) someImage() string {
	if ref, ok := w.pick(w.random, &w.images); ok {
		return ref
	}
	return base
}

// prune selects what no other request needs: the tags of images stay.
func (w *user) prune(common containersv1.RequestSpec) containersv1.PruneRequestSpec {
	spec := containersv1.PruneRequestSpec{RequestSpec: common, DryRun: w.random.IntN(4) == 0}
	switch w.random.IntN(4) {
	case 0:
		spec.Kinds, spec.All = []containersv1.PruneKind{"Volume"}, true
	case 1:
		spec.Kinds = []containersv1.PruneKind{"Container", "Image"}
	default:
		spec.Kinds = []containersv1.PruneKind{"Image", "Network"}
	}
	return spec
}

// asks records a request before it is sent.
func (l *ledger) asks(object containersv1.Request) *asked {
	l.step("create " + string(object.RequestKind()) + " " + object.GetName())
	l.mu.Lock()
	defer l.mu.Unlock()
	a := &asked{object: object, began: time.Now()}
	l.asked = append(l.asked, a)
	l.operations++
	return a
}

// granted records that the API server has accepted a request.
func (l *ledger) granted(a *asked) {
	l.step("acknowledged " + a.object.GetName())
	l.mu.Lock()
	defer l.mu.Unlock()
	a.acknowledged = true
}

// askedSince returns the acknowledged requests since a time.
func (l *ledger) askedSince(since time.Time) (all []asked) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.asked {
		if a.acknowledged && a.began.After(since) {
			all = append(all, *a)
		}
	}
	return all
}

// awaitRequests waits until every request of a round has ended, and says which has not.
func (c *chaos) awaitRequests(ctx context.Context, since time.Time) (wrong []string) {
	for end := time.Now().Add(requestTimeout); ; {
		wrong = nil
		for _, a := range c.ledger.askedSince(since) {
			if r, err := c.requestNow(ctx, a); err != nil {
				wrong = append(wrong, fmt.Sprintf("request %s is lost: %v", a.object.GetName(), err))
			} else if !isFinished(r) {
				wrong = append(wrong, fmt.Sprintf("request %s has not ended: %+v", r.GetName(), *r.CommonStatus()))
			} else {
				c.ledger.update(a, func(a *asked) { a.completed = completion(r.CommonStatus().CompletedAt) })
			}
		}
		if len(wrong) == 0 || time.Now().After(end) || ctx.Err() != nil {
			return wrong
		}
		_ = rddtest.Sleep(ctx, checkInterval) // the loop checks ctx
	}
}

func (c *chaos) requestNow(ctx context.Context, a asked) (containersv1.Request, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	api, err := c.daemon.client()
	if err != nil {
		return nil, err
	}
	now := a.object.CopyRequest()
	return now, api.Get(ctx, client.ObjectKeyFromObject(now), now)
}

func isFinished(r containersv1.Request) bool {
	return isTrue(r, containersv1.ConditionComplete) || isTrue(r, containersv1.ConditionFailed)
}

func isTrue(r containersv1.Request, condition string) bool {
	return meta.IsStatusConditionTrue(r.CommonStatus().Conditions, condition)
}

// judgeRequests finds requests of a round that were not carried out exactly once, and
// deletes all that have ended.
func (c *chaos) judgeRequests(ctx context.Context, s *snapshot, since time.Time) (wrong []string) {
	made := s.requested()
	for _, a := range c.ledger.askedSince(since) {
		r, err := c.requestNow(ctx, a)
		if err != nil {
			continue // awaitRequests has reported it
		}
		c.ledger.update(a, func(a *asked) { a.ended = time.Now() })
		why := c.unfulfilled(ctx, r, a, s, made[r.GetUID()])
		switch {
		case why != "":
			wrong = append(wrong, fmt.Sprintf("request %s %s: %s, and its status is %+v", r.RequestKind(), r.GetName(), why, *r.CommonStatus()))
		case isTrue(r, containersv1.ConditionComplete):
			c.results.complete++
		case isTrue(r, containersv1.ConditionFailed):
			c.results.failed++
		}
		if err := c.deleteRequest(ctx, r); err != nil {
			wrong = append(wrong, fmt.Sprintf("delete request %s: %v", r.GetName(), err))
		}
	}
	return wrong
}

// update changes the record of a request.
func (l *ledger) update(of asked, change func(*asked)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.asked {
		if a.object == of.object {
			change(a)
		}
	}
}

// unfulfilled says why a finished request was not carried out exactly once; it is empty
// for one that was. objects are the mirrors of what came of it.
func (c *chaos) unfulfilled(ctx context.Context, r containersv1.Request, a asked, s *snapshot, objects []string) string {
	switch r := r.(type) {
	case *containersv1.ImagePullRequest, *containersv1.ImageTagRequest, *containersv1.ImagePushRequest:
		return c.untransferred(ctx, r, a, s)
	case *containersv1.PruneRequest:
		return s.unpruned(r)
	}
	result := r.CommonStatus().Result
	switch {
	case isTrue(r, containersv1.ConditionComplete) && len(objects) == 1 && objects[0] == result.Name:
	case isTrue(r, containersv1.ConditionComplete) && len(objects) == 0 && c.ledger.prunedSince(r, a.began):
	case isTrue(r, containersv1.ConditionFailed) && len(objects) == 0:
	case isFinished(r):
		return fmt.Sprintf("it has the objects %v", objects)
	}
	return ""
}

// prunedSince reports whether the object of a request may have been removed as unused.
func (l *ledger) prunedSince(r containersv1.Request, since time.Time) bool {
	kind := containersv1.KindContainer
	if r.RequestKind() == containersv1.KindVolumeCreateRequest {
		kind = containersv1.KindVolume
	}
	return l.prunes(kind, since, time.Now()) || kind == containersv1.KindVolume &&
		slices.ContainsFunc(l.of(objectOf(kind, "unused ones")), func(r request) bool {
			return r.ended.IsZero() || r.ended.After(since)
		})
}

func (c *chaos) deleteRequest(ctx context.Context, r client.Object) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	api, err := c.daemon.client()
	if err != nil {
		return err
	}
	if err := api.Delete(ctx, r); !apierrors.IsNotFound(err) {
		return err
	}
	return nil
}

// requested returns the names of the mirrors whose objects came of requests, by the UID
// of the request.
func (s *snapshot) requested() map[types.UID][]string {
	made := map[types.UID][]string{}
	for _, m := range s.mirrors {
		if uid := requestOf(m); uid != "" {
			made[uid] = append(made[uid], m.GetName())
		}
	}
	return made
}

// requestOf returns the UID of the request that an object came of; empty for none. A
// container of a worker, which has the label "name", may have that of a request from its
// image.
func requestOf(m metav1.Object) types.UID {
	switch m := m.(type) {
	case *containersv1.Container:
		if m.Status.Labels["name"] != "" {
			return ""
		}
		return types.UID(m.Status.Labels[containersv1.RequestLabel])
	case *containersv1.Volume:
		return types.UID(m.Status.Labels[containersv1.RequestLabel])
	default:
		return ""
	}
}

// startsFor records the containers that came of requests: rdd starts them.
func (l *ledger) startsFor(s *snapshot) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range s.mirrors {
		if m.MirrorKind() == containersv1.KindContainer && requestOf(m) != "" {
			l.requested[objectOf(containersv1.KindContainer, m.GetName())] = true
		}
	}
}

// isRequested reports whether a container came of a request.
func (l *ledger) isRequested(object string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.requested[object]
}
