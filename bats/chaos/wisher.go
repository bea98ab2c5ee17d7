package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest/dockerd"
)

// wisher changes the API, as a user does.
type wisher struct {
	*pool

	engine *dockerd.API
	daemon *daemon
	ledger *ledger
	dice   *rand.Rand
}

// work goes on until ctx ends; what is under way then is brought to its end.
func (w *wisher) work(ctx context.Context) {
	for ctx.Err() == nil {
		w.one(context.WithoutCancel(ctx))
		select {
		case <-ctx.Done():
		case <-time.After(between(w.dice, 50*time.Millisecond, 300*time.Millisecond)):
		}
	}
}

func (w *wisher) one(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	number := w.dice.IntN(10)
	api, err := w.daemon.client()
	if err != nil {
		return
	}
	switch {
	case number < 6:
		w.wishState(ctx, api)
	case number < 7:
		if id, ok := w.pick(w.dice, &w.containers); ok {
			w.remove(ctx, api, containersv1.KindContainer, id, containersv1.ContainerResourceName(id))
		}
	case number < 8:
		w.removeImage(ctx, api)
	default:
		if name, ok := w.pick(w.dice, &w.volumes); ok {
			w.remove(ctx, api, containersv1.KindVolume, name, containersv1.VolumeResourceName(name))
		}
	}
}

func (w *wisher) wishState(ctx context.Context, api client.Client) {
	states := []containersv1.DesiredState{
		containersv1.StateRunning, containersv1.StateRunning, containersv1.StateCreated, containersv1.StateCreated, containersv1.StateUnknown,
	}
	state := states[w.dice.IntN(len(states))]
	id, ok := w.pick(w.dice, &w.containers)
	if !ok {
		return
	}
	r := &request{
		verb: wish, object: objectOf(containersv1.KindContainer, id), what: string(state),
		state: state, kind: containersv1.KindContainer, name: id,
	}
	w.ledger.begin(r)
	c := &containersv1.Container{ObjectMeta: metav1.ObjectMeta{Name: id, Namespace: appv1.DefaultNamespace}}
	err := api.Patch(ctx, c, client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"spec":{"state":%q}}`, state)))
	w.conclude(r, err, c.UID, c.Generation)
}

func (w *wisher) removeImage(ctx context.Context, api client.Client) {
	ref, ok := w.pick(w.dice, &w.images)
	if !ok {
		return
	}
	id, err := w.engine.ImageID(ctx, ref)
	if err == nil {
		w.remove(ctx, api, containersv1.KindImage, ref, containersv1.ImageResourceName(id, ref))
	}
}

// remove deletes a mirror that is there, and no later one of that name.
func (w *wisher) remove(ctx context.Context, api client.Client, kind containersv1.Kind, object, name string) {
	mirror, ok := containersv1.NewMirror(kind).(client.Object)
	if !ok {
		return
	}
	if err := api.Get(ctx, client.ObjectKey{Namespace: appv1.DefaultNamespace, Name: name}, mirror); err != nil {
		return
	}
	r := &request{verb: remove, object: objectOf(kind, object), what: "delete", kind: kind, name: name}
	w.ledger.begin(r)
	uid := mirror.GetUID()
	err := api.Delete(ctx, mirror, client.Preconditions{UID: &uid})
	w.conclude(r, err, uid, 0)
}

// conclude notes what the API server said.
func (w *wisher) conclude(r *request, err error, uid types.UID, generation int64) {
	if err == nil {
		w.ledger.acknowledge(r, uid, generation)
		return
	}
	// What has a reason is an answer; anything else may have been stored or not.
	w.ledger.finish(r, apierrors.ReasonForError(err) != metav1.StatusReasonUnknown)
}
