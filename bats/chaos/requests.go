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
}

// ask creates a request for a container or a volume.
func (w *user) ask(ctx context.Context, api client.Client) {
	var object client.Object
	ttl := int32(containersv1.DefaultTTLSecondsAfterFinished)
	common := containersv1.RequestSpec{TTLSecondsAfterFinished: &ttl}
	if w.random.IntN(2) == 0 {
		object = &containersv1.VolumeCreateRequest{Spec: containersv1.VolumeCreateRequestSpec{RequestSpec: common}}
	} else {
		object = &containersv1.ContainerCreateRequest{Spec: containersv1.ContainerCreateRequestSpec{
			RequestSpec: common, Image: base, PullPolicy: containersv1.PullNever, StopSignal: "SIGKILL",
			State: []containersv1.RequestedState{containersv1.RequestedRunning, containersv1.RequestedCreated}[w.random.IntN(2)],
		}}
	}
	object.SetName(fmt.Sprintf("ask-%d", w.next()))
	object.SetNamespace(appv1.DefaultNamespace)
	a := w.ledger.asks(object.(containersv1.Request))
	if err := api.Create(ctx, object); err == nil {
		w.ledger.granted(a)
	}
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

// askedBefore reports whether a user had created a request by a time.
func (l *ledger) askedBefore(at time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.asked) > 0 && l.asked[0].began.Before(at)
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
		objects := made[r.GetUID()]
		switch {
		case isTrue(r, containersv1.ConditionComplete) && len(objects) == 1 && objects[0] == r.CommonStatus().Result.Name:
			c.results.complete++
		case isTrue(r, containersv1.ConditionComplete) && len(objects) == 0 && c.ledger.prunedSince(r, a.began):
			c.results.complete++
		case isTrue(r, containersv1.ConditionFailed) && len(objects) == 0:
			c.results.failed++
		case isFinished(r):
			wrong = append(wrong, fmt.Sprintf("request %s has the objects %v, and its status is %+v", r.GetName(), objects, *r.CommonStatus()))
		}
		if err := c.deleteRequest(ctx, r); err != nil {
			wrong = append(wrong, fmt.Sprintf("delete request %s: %v", r.GetName(), err))
		}
	}
	return wrong
}

// prunedSince reports whether a worker may have removed the volume of a request.
func (l *ledger) prunedSince(r containersv1.Request, since time.Time) bool {
	return r.RequestKind() == containersv1.KindVolumeCreateRequest &&
		slices.ContainsFunc(l.of(objectOf(containersv1.KindVolume, "unused ones")), func(r request) bool {
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

// requestOf returns the UID of the request that an object came of; empty for none.
func requestOf(m metav1.Object) types.UID {
	switch m := m.(type) {
	case *containersv1.Container:
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
