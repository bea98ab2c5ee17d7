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

// user changes the API.
type user struct {
	*pool

	engine   *dockerd.API
	registry *registry
	daemon   *daemon
	ledger   *ledger
	random   *rand.Rand
}

// work runs until ctx ends, and completes the change that is under way then.
func (w *user) work(ctx context.Context) {
	for ctx.Err() == nil {
		w.step(context.WithoutCancel(ctx))
		select {
		case <-ctx.Done():
		case <-time.After(between(w.random, 50*time.Millisecond, 300*time.Millisecond)):
		}
	}
}

func (w *user) step(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	number := w.random.IntN(14)
	api, err := w.daemon.client()
	if err != nil {
		return
	}
	switch {
	case number < 6:
		w.changeState(ctx, api)
	case number < 7:
		if id, ok := w.pick(w.random, &w.containers); ok {
			w.remove(ctx, api, containersv1.KindContainer, id, containersv1.ContainerResourceName(id))
		}
	case number < 8:
		w.removeImage(ctx, api)
	case number < 10:
		w.removeVolume(ctx, api)
	case number < 12:
		w.ask(ctx, api)
	default:
		if id, ok := w.pick(w.random, &w.containers); ok {
			w.act(ctx, api, id)
		}
	}
}

func (w *user) removeVolume(ctx context.Context, api client.Client) {
	if name, ok := w.pick(w.random, &w.volumes); ok {
		w.remove(ctx, api, containersv1.KindVolume, name, containersv1.VolumeResourceName(name))
	}
}

// changeState sets the desired state of a container, or requests an action on one that is
// for actions only.
func (w *user) changeState(ctx context.Context, api client.Client) {
	id, ok := w.pick(w.random, &w.containers)
	switch {
	case !ok:
	case forActionsOnly(id):
		w.act(ctx, api, id)
	default:
		w.setState(ctx, api, id)
	}
}

func (w *user) setState(ctx context.Context, api client.Client, id string) {
	states := []containersv1.DesiredState{
		containersv1.StateRunning, containersv1.StateRunning, containersv1.StateCreated, containersv1.StateCreated, containersv1.StateUnknown,
	}
	state := states[w.random.IntN(len(states))]
	r := &request{
		verb: setState, object: objectOf(containersv1.KindContainer, id), what: string(state),
		state: state, kind: containersv1.KindContainer, name: id,
	}
	w.ledger.begin(r)
	c := &containersv1.Container{ObjectMeta: metav1.ObjectMeta{Name: id, Namespace: appv1.DefaultNamespace}}
	err := api.Patch(ctx, c, client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"spec":{"state":%q}}`, state)))
	w.conclude(r, err, c.UID, c.Generation)
}

func (w *user) removeImage(ctx context.Context, api client.Client) {
	ref, ok := w.pick(w.random, &w.images)
	if !ok {
		return
	}
	id, err := w.engine.ImageID(ctx, ref)
	if err == nil {
		w.remove(ctx, api, containersv1.KindImage, ref, containersv1.ImageResourceName(id, ref))
	}
}

// remove deletes a mirror, and no later one of that name.
func (w *user) remove(ctx context.Context, api client.Client, kind containersv1.Kind, object, name string) {
	mirror, ok := containersv1.NewMirror(kind).(client.Object)
	if !ok {
		return
	}
	if err := api.Get(ctx, client.ObjectKey{Namespace: appv1.DefaultNamespace, Name: name}, mirror); err != nil {
		return
	}
	r := &request{verb: deleteMirror, object: objectOf(kind, object), what: "delete", kind: kind, name: name}
	w.ledger.begin(r)
	uid := mirror.GetUID()
	err := api.Delete(ctx, mirror, client.Preconditions{UID: &uid})
	w.conclude(r, err, uid, 0)
}

// conclude records the answer of the API server.
func (w *user) conclude(r *request, err error, uid types.UID, generation int64) {
	if err == nil {
		w.ledger.acknowledge(r, uid, generation)
		return
	}
	// An error without a reason is no answer: the change may be stored or not.
	w.ledger.finish(r, apierrors.ReasonForError(err) != metav1.StatusReasonUnknown)
}
