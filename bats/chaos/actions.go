package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

// forActionsOnly reports whether users change a container by actions alone, so that each
// of its starts belongs to one action. It depends on the random ID.
func forActionsOnly(id string) bool { return id < "5" }

// act requests an action on a container, unless another one has not ended: each has an
// outcome of its own then.
func (w *user) act(ctx context.Context, api client.Client, id string) {
	c := &containersv1.Container{}
	if err := api.Get(ctx, client.ObjectKey{Namespace: appv1.DefaultNamespace, Name: id}, c); err != nil {
		return
	}
	w.ledger.observeOutcome(c)
	if c.DeletionTimestamp != nil || isActing(c) {
		return
	}
	word := containersv1.Actions()[w.random.IntN(len(containersv1.Actions()))]
	if w.random.IntN(2) == 0 {
		word = containersv1.ActionRestart // which alone shows that it was done twice
	}
	r := &request{
		verb: requestAction, object: objectOf(containersv1.KindContainer, id), what: string(word),
		action: word, kind: containersv1.KindContainer, name: id, uid: c.UID,
	}
	w.ledger.begin(r)
	patch := fmt.Appendf(nil, `{"metadata":{"resourceVersion":%q,"annotations":{%q:%q}}}`, c.ResourceVersion, containersv1.ActionAnnotation, word)
	err := api.Patch(ctx, c, client.RawPatch(types.MergePatchType, patch))
	w.conclude(r, err, r.uid, 0)
}

// isActing reports whether an action of a container waits or runs.
func isActing(c *containersv1.Container) bool {
	return c.Annotations[containersv1.ActionAnnotation] != "" || c.RunningAction() != nil
}

// observeOutcome records the outcome of the last action that was requested of a container.
func (l *ledger) observeOutcome(c *containersv1.Container) {
	last := c.Status.LastAction
	if last == nil || last.State == containersv1.ActionRunning {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var of *request
	for _, r := range l.requests[objectOf(containersv1.KindContainer, c.Name)] {
		switch {
		case r.verb != requestAction || r.uid != c.UID || r.wasRejected() || r.began.After(last.ObservedAt.Time):
		case r.outcome != nil && r.outcome.ObservedAt.Equal(&last.ObservedAt):
			return // it was observed before
		case r.outcome == nil && r.action == last.Action:
			of = r // the latest one
		}
	}
	if of != nil {
		of.outcome = last.DeepCopy()
	}
}

// wasRejected reports whether the API server has answered that it did not accept a
// request.
func (r request) wasRejected() bool { return !r.acknowledged && !r.ended.IsZero() }

// starts reports whether an action can start a container.
func (r request) starts() bool {
	return r.action == containersv1.ActionStart || r.action == containersv1.ActionRestart
}

// awaitActions waits until every action has ended, and says which has not.
func (c *chaos) awaitActions(ctx context.Context) (wrong []string) {
	for end := time.Now().Add(requestTimeout); ; {
		wrong = c.unendedActions(ctx)
		if len(wrong) == 0 || time.Now().After(end) || ctx.Err() != nil {
			return wrong
		}
		_ = rddtest.Sleep(ctx, checkInterval) // the loop checks ctx
	}
}

func (c *chaos) unendedActions(ctx context.Context) (wrong []string) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	api, err := c.daemon.client()
	if err != nil {
		return []string{err.Error()}
	}
	all := &containersv1.ContainerList{}
	if err := api.List(ctx, all, client.InNamespace(appv1.DefaultNamespace)); err != nil {
		return []string{"list the containers: " + err.Error()}
	}
	for _, one := range all.Items {
		if isActing(&one) && one.DeletionTimestamp == nil {
			wrong = append(wrong, fmt.Sprintf("the action %q of container %s has not ended: %+v", one.Annotations[containersv1.ActionAnnotation], one.Name, one.Status.LastAction))
		}
	}
	return wrong
}

// endOfAction returns how an acknowledged action ended.
func (l *ledger) endOfAction(s *snapshot, r request, away bool) (outcome, string) {
	m, ok := s.mirrors[r.uid].(*containersv1.Container)
	state, exists := s.containers[r.name]
	switch {
	case r.outcome != nil && r.outcome.State == containersv1.ActionFailed && r.outcome.Error == "":
		return broken, "it failed without a reason"
	case r.outcome != nil && r.outcome.State == containersv1.ActionFailed:
		return refused, ""
	case r.outcome != nil && exists && forActionsOnly(r.name) && l.undisturbed(r) && !leadsTo(r.action, state):
		return broken, fmt.Sprintf("reported as successful, and the container is %s without another change since", state)
	case r.outcome != nil:
		return applied, ""
	case !ok:
		return endWithoutMirror(exists, away)
	case m.DeletionTimestamp != nil:
		return superseded, ""
	}
	return broken, fmt.Sprintf("it was forgotten: the last action is %+v", m.Status.LastAction)
}

// leadsTo reports whether a container can be in a state, in the engine's word, after an
// action. A container that was never started is still "created" after a stop.
func leadsTo(action containersv1.Action, state string) bool {
	switch action {
	case containersv1.ActionStart, containersv1.ActionRestart, containersv1.ActionUnpause:
		return state == "running"
	case containersv1.ActionPause:
		return state == "paused"
	case containersv1.ActionStop:
		return state == "exited" || state == "created"
	case containersv1.ActionKill:
	}
	return state == "exited"
}

// actsAfter reports whether an action can have been carried out after a time.
func (r request) actsAfter(at time.Time) bool {
	return r.verb == requestAction && !r.wasRejected() && !r.endedBefore(at)
}

// window returns the time in which an action was carried out. It has no end while the
// outcome is unknown, and if the engine may still complete the action.
func (r request) window() span {
	if r.outcome == nil || strings.Contains(r.outcome.Error, "may still complete") {
		return span{from: r.began}
	}
	return span{r.outcome.ObservedAt.Time, completion(r.outcome.CompletedAt)}
}

func completion(at *metav1.MicroTime) time.Time {
	if at == nil {
		return time.Time{}
	}
	return at.Time
}
