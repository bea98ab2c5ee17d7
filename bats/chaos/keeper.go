package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest/dockerd"
)

const (
	// calmTime is how long the data that an impairment holds may be on its way when it ends.
	calmTime = 700 * time.Millisecond
	// eventTime is how long an event of the engine may be on its way.
	eventTime = time.Second
	// patience is how long the keeper waits for a change that is refused for a while.
	patience = 8 * time.Second
	// firstPoll and lastPoll are the pauses between two looks at a mirror.
	firstPoll = 20 * time.Millisecond
	lastPoll  = 200 * time.Millisecond
)

// keeper makes changes of the judge's own objects, which no other client changes. Each of its
// lanes has one object, and makes one change at a time: the next one begins when the effect
// of the one before was seen.
type keeper struct {
	engine *dockerd.API
	daemon *daemon
	ledger *ledger
	events *engineLog
	pool   *pool
	lanes  []*keptLane
	// content is that of the images.
	content []byte

	mu    sync.Mutex
	wrong []string
	tally keptTally
}

// keptTally counts the keeper's changes of desired state, and deletes.
type keptTally struct{ states, judgedStates, deletes, judgedDeletes, refused, outside int }

// keptLane is one object, and its change that is under way.
type keptLane struct {
	*keeper

	random *rand.Rand
	shape  shape
	// object is empty while there is none.
	object, resource string
	kind             containersv1.Kind
	uid              types.UID
	generation       int64
	// holder is a container that makes the engine refuse the removal of the object.
	holder string
	// last is the last change; nil if it was judged.
	last *kept
}

// work makes changes until ctx ends, and completes the call that is under way then.
func (l *keptLane) work(ctx context.Context) {
	for ctx.Err() == nil {
		l.step(ctx)
		_ = rddtest.Sleep(ctx, between(l.random, 10*time.Millisecond, 60*time.Millisecond))
	}
}

// settle waits until the change that is under way has ended.
func (k *keeper) settle(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	began := time.Now()
	k.each(func(l *keptLane) {
		l.await(ctx)
		l.rest(ctx)
		if l.last != nil && l.last.isOver() {
			l.forget(ctx)
		}
		if took := time.Since(began); took > slowConvergence && l.last != nil {
			k.ledger.step(fmt.Sprintf("after %.1f s, %s is %s: %s", took.Seconds(), *l.last, l.last.ending, l.last.detail))
		}
	})
}

// each calls a function for all lanes at the same time.
func (k *keeper) each(do func(*keptLane)) {
	var all sync.WaitGroup
	for _, l := range k.lanes {
		all.Go(func() { do(l) })
	}
	all.Wait()
}

// conclude judges all changes, and returns what is wrong since the last call.
func (k *keeper) conclude(ctx context.Context) []string {
	k.each(func(l *keptLane) {
		switch {
		case l.last == nil:
		case l.look(ctx) && l.last.isOver():
			l.forget(ctx)
		default:
			l.close(ctx, time.Now())
		}
	})
	k.mu.Lock()
	defer k.mu.Unlock()
	wrong := k.wrong
	k.wrong = nil
	return wrong
}

// change makes a change when the one before has had its effect, and waits for its own. It
// makes none if ctx has ended, or if there is no object any more.
func (l *keptLane) change(ctx context.Context, verb keptVerb, mustBeRefused bool) {
	if !l.await(ctx) || !l.calm(ctx) {
		return
	}
	if l.last != nil && l.last.isOver() {
		l.forget(ctx)
		return
	}
	began := time.Now()
	before, ok := l.inspect(ctx)
	if !ok {
		return
	}
	if l.last != nil {
		l.look(ctx)
		l.close(ctx, began)
	}
	k := &kept{
		verb: verb, kind: l.kind, object: l.object, uid: l.uid, mustBeRefused: mustBeRefused,
		before: before.State.Status, began: began, ending: notEnded,
	}
	sent := context.WithoutCancel(ctx)
	if verb.isOutside() {
		l.doOutside(sent, k)
	} else if !l.ask(sent, k) {
		return
	}
	l.last = k
	l.await(ctx)
}

// calm waits until no call of the daemon for the last change can still be on its way to the
// engine over an impaired link. It returns false if ctx has ended.
func (l *keptLane) calm(ctx context.Context) bool {
	if l.last == nil {
		return true
	}
	for {
		over := l.ledger.outageSince(l.last.began)
		if over.IsZero() || time.Since(over) > calmTime {
			return true
		}
		if rddtest.Sleep(ctx, lastPoll) != nil {
			return false
		}
	}
}

// doOutside changes a container without the daemon.
func (l *keptLane) doOutside(ctx context.Context, k *kept) {
	ctx, cancel := context.WithTimeout(ctx, operationTimeout)
	defer cancel()
	r := &request{verb: engineChange, object: objectOf(k.kind, k.object), what: "judge's " + string(k.verb)}
	l.ledger.begin(r)
	err := l.engine.Do(ctx, string(k.verb), k.object)
	l.ledger.finish(r, err == nil)
	k.ending, k.reported = reportedDone, time.Now()
	if err != nil {
		k.ending, k.detail = uncertain, err.Error()
	}
}

// ask requests a change from the daemon. It returns false if that was not stored. Without an
// answer, it looks at the mirror.
func (l *keptLane) ask(ctx context.Context, k *kept) bool {
	r := &request{
		verb: setState, object: objectOf(k.kind, k.object), what: string(k.verb), isKept: true,
		state: k.verb.desired(), kind: k.kind, name: k.object, uid: k.uid,
	}
	if k.verb == keptRemove {
		r.verb = deleteMirror
	}
	l.ledger.begin(r)
	asked := time.Now()
	api, err := l.daemon.client()
	if err == nil {
		err = l.send(ctx, api, k)
	}
	switch {
	case err == nil:
		l.ledger.acknowledge(r, k.uid, k.generation)
	case isRejection(err), !l.wasStored(ctx, api, k, asked):
		l.ledger.finish(r, true)
		l.uid = "" // it is looked for again
		return false
	}
	l.generation = max(l.generation, k.generation)
	return true
}

// isRejection reports whether the API server has answered that it stored nothing.
func isRejection(err error) bool {
	return apierrors.IsNotFound(err) || apierrors.IsConflict(err) || apierrors.IsInvalid(err) || apierrors.IsForbidden(err)
}

func (l *keptLane) send(ctx context.Context, api client.Client, k *kept) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	if k.verb == keptRemove {
		m := containersv1.NewMirror(k.kind)
		m.SetName(l.resource)
		m.SetNamespace(appv1.DefaultNamespace)
		return api.Delete(ctx, m.(client.Object), client.Preconditions{UID: &k.uid})
	}
	c := &containersv1.Container{ObjectMeta: metav1.ObjectMeta{Name: l.resource, Namespace: appv1.DefaultNamespace}}
	err := api.Patch(ctx, c, client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"metadata":{"uid":%q},"spec":{"state":%q}}`, k.uid, k.verb.desired())))
	k.generation = c.Generation
	return err
}

// wasStored reports whether a change without an answer was stored. A daemon that runs
// no more stores nothing more; one that runs has a time for it.
func (l *keptLane) wasStored(ctx context.Context, api client.Client, k *kept, asked time.Time) bool {
	for {
		isLast := false
		if now, err := l.daemon.client(); err == nil {
			isLast = now != api || time.Since(asked) > 2*answerTimeout
		}
		m, err := l.mirror(ctx)
		switch {
		case err != nil:
		case k.verb == keptRemove && (m == nil || m.GetUID() != k.uid || m.GetDeletionTimestamp() != nil):
			return true
		case k.verb != keptRemove && m != nil && m.GetUID() == k.uid && m.GetGeneration() > l.generation:
			k.generation = m.GetGeneration()
			return true
		case isLast:
			return false
		}
		if rddtest.Sleep(ctx, lastPoll) != nil || time.Since(asked) > startTimeout {
			return false
		}
	}
}

// await waits until the last change needs no more waiting. It returns false if ctx has ended.
func (l *keptLane) await(ctx context.Context) bool {
	if l.last == nil || l.last.verb.isOutside() {
		return ctx.Err() == nil
	}
	for pause := firstPoll; ; pause = min(2*pause, lastPoll) {
		if l.look(ctx) {
			return true
		}
		if rddtest.Sleep(ctx, pause) != nil {
			return false
		}
	}
}

// look updates the ending of the last change from its mirror. It returns true when the
// change needs no more waiting.
func (l *keptLane) look(ctx context.Context) bool {
	if l.last.verb.isOutside() {
		return true
	}
	m, err := l.mirror(ctx)
	if err != nil {
		return false
	}
	isOver := l.last.observe(m)
	// A killed engine can be unable to start a container ever again.
	return isOver || l.last.ending == reportedRefused && time.Since(l.last.reported) > patience
}

// mirror reads the mirror of the object; it is nil if there is none.
func (l *keptLane) mirror(ctx context.Context) (containersv1.Mirror, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	api, err := l.daemon.client()
	if err != nil {
		return nil, err
	}
	m := containersv1.NewMirror(l.kind)
	err = api.Get(ctx, client.ObjectKey{Namespace: appv1.DefaultNamespace, Name: l.resource}, m.(client.Object))
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // both are possible, and none is an error
	}
	return m, err
}

// report records a violation.
func (k *keeper) report(text string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.wrong = append(k.wrong, text)
}
