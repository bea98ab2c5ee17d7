package request

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// containerStep is the next part of a ContainerCreateRequest.
type containerStep string

const (
	// createStep creates the container. Its result is stored before the container is
	// started: a container that is gone after that is not created again, because it may
	// have run.
	createStep containerStep = "create"
	// startStep starts the container.
	startStep containerStep = "start"
	// recreateStep forgets a container whose start may have been interrupted. It is
	// created again after that is stored.
	recreateStep containerStep = "recreate"
	// discardStep removes a container that does not start.
	discardStep containerStep = "discard"
	// completeStep ends the request.
	completeStep containerStep = "complete"
	// failStep ends the request after discardStep.
	failStep containerStep = "fail"
	// lostStep ends a request whose container is gone.
	lostStep containerStep = "lost"
)

// decideContainer returns the next part. It depends only on the request as it is stored,
// on its container, nil for none, and on whether no start was attempted, so that a
// daemon that was killed at any moment continues where it stopped.
func decideContainer(r *containersv1.ContainerCreateRequest, c *containersv1.Container, untried bool) containerStep {
	startFailed := reasonOf(&r.Status) == containersv1.ReasonStartFailed
	switch {
	case r.Status.Result == nil:
		return createStep
	case c != nil && c.HasRun():
		return completeStep
	case startFailed && c != nil:
		return discardStep
	case startFailed:
		return failStep
	case c == nil:
		return lostStep
	case !untried:
		return recreateStep
	}
	return startStep
}

// createContainer carries out the next part of a ContainerCreateRequest.
func createContainer(ctx context.Context, t Task) Outcome {
	r := t.Request.(*containersv1.ContainerCreateRequest)
	r.Spec.Name = cmp.Or(r.Spec.Name, t.defaultName())
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var key engine.Key
	var container *containersv1.Container
	if r.Status.Result != nil {
		key = engine.Key{Kind: containersv1.KindContainer, ID: r.Status.Result.Name}
		object, err := t.Engine.Get(call, key)
		switch {
		case err == nil:
			container = object.(*containersv1.Container)
		case !engine.IsNotFound(err):
			return FailedWith(ctx, err)
		}
	}
	switch decideContainer(r, container, t.IsFresh) {
	case createStep:
		return t.create(ctx, r)
	case startStep:
		return t.start(call, r, key)
	case recreateStep:
		return Recorded(containersv1.ReasonInProgress,
			fmt.Sprintf("the start of container %s was interrupted: the container is created again", r.Spec.Name), nil)
	case discardStep:
		return t.discard(call, r, key)
	case failStep:
		return Failed(containersv1.ReasonStartFailed, r.Status.Message)
	case lostStep:
		return Failed(containersv1.ReasonOutcomeUnknown, fmt.Sprintf(
			"container %s was created, and is gone before rdd could read whether it had started: it was removed by another client, or by autoRemove after it had ended",
			r.Spec.Name))
	default:
		return containerCompleted(r, key)
	}
}

// create creates the container. The image is pulled before, if the request says so. A pull
// has no deadline, but the other calls have.
func (t Task) create(ctx context.Context, r *containersv1.ContainerCreateRequest) Outcome {
	pulled := r.Spec.PullPolicy == containersv1.PullAlways
	if pulled {
		if _, failure := t.pull(ctx, engine.PullSpec{Ref: r.Spec.Image}); failure != nil {
			return *failure
		}
	}
	key, err := t.createOnce(ctx, r)
	if errors.Is(err, engine.ErrNoImage) && !pulled && r.Spec.PullPolicy != containersv1.PullNever {
		if _, failure := t.pull(ctx, engine.PullSpec{Ref: r.Spec.Image}); failure != nil {
			return *failure
		}
		key, err = t.createOnce(ctx, r)
	}
	switch {
	case errors.Is(err, engine.ErrNoImage):
		return Failed(containersv1.ReasonNotFound, fmt.Sprintf("%v: pull the image, or set pullPolicy to IfNotPresent", err))
	case err != nil:
		return FailedWith(ctx, err)
	}
	if r.Spec.State == containersv1.RequestedCreated {
		return containerCompleted(r, key)
	}
	return Recorded(containersv1.ReasonInProgress, fmt.Sprintf("container %s was created, and starts", r.Spec.Name), resultOf(key))
}

func (t Task) createOnce(ctx context.Context, r *containersv1.ContainerCreateRequest) (engine.Key, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return t.Engine.CreateContainer(ctx, r.Spec, t.UID())
}

// start starts the container. If the engine refuses that, the container is removed once
// the error is stored.
func (t Task) start(ctx context.Context, r *containersv1.ContainerCreateRequest, key engine.Key) Outcome {
	err := t.Engine.Do(ctx, key, engine.VerbStart)
	switch {
	case err == nil:
		return containerCompleted(r, key)
	case engine.IsAway(err) || ctx.Err() != nil:
		return Retry(err)
	}
	return Recorded(containersv1.ReasonStartFailed, err.Error(), r.Status.Result)
}

// discard removes the container whose start failed.
func (t Task) discard(ctx context.Context, r *containersv1.ContainerCreateRequest, key engine.Key) Outcome {
	err := t.Engine.Discard(ctx, key)
	switch {
	case err == nil:
		return Failed(containersv1.ReasonStartFailed, r.Status.Message)
	case engine.IsAway(err) || ctx.Err() != nil:
		return Retry(err)
	}
	out := Failed(containersv1.ReasonStartFailed, fmt.Sprintf("%s (container %s cannot be removed: %v)", r.Status.Message, key.ID, err))
	out.Result = resultOf(key)
	return out
}

func containerCompleted(r *containersv1.ContainerCreateRequest, key engine.Key) Outcome {
	if r.Spec.State == containersv1.RequestedCreated {
		return Completed(fmt.Sprintf("container %s was created", r.Spec.Name), resultOf(key))
	}
	return Completed(fmt.Sprintf("container %s was created and started", r.Spec.Name), resultOf(key))
}
