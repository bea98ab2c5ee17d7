package request

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// Task is what a work has to do, and with what.
type Task struct {
	Engine engine.Engine
	// Request as it was stored when the work began. It belongs to the work.
	Request containersv1.Request
	// IsFresh is set when this actor has just recorded the first part: nothing was tried
	// after it.
	IsFresh bool
	// Credentials returns the user's credentials for the registry of an image.
	Credentials func(ctx context.Context, image string) (engine.Credentials, error)
	// Progress reports how far the engine is. It can be called as often as the engine
	// reports something.
	Progress func(containersv1.RequestProgress)
}

// UID marks the object of the engine that comes of the request.
func (t Task) UID() types.UID { return t.Request.GetUID() }

// defaultName returns the name of the engine's object if the request has none. It belongs
// to the request: the engine does not create a second object of this name.
func (t Task) defaultName() string {
	uid := string(t.UID())
	return t.Request.GetName() + "-" + uid[:min(len(uid), 8)]
}

// Work carries out a request, or its next part. It may have been interrupted at any
// moment before, and begins by reading what is done already. It returns when ctx ends.
type Work func(ctx context.Context, t Task) Outcome

// kindOfWork is the row of a kind of request in the table.
type kindOfWork struct {
	work Work
	// timeout bounds one call of work.
	timeout time.Duration
}

// callTimeout bounds a work that makes a few calls to the engine.
const callTimeout = 90 * time.Second

// works returns the table of what each kind of request does.
func works() map[containersv1.RequestKind]kindOfWork {
	return map[containersv1.RequestKind]kindOfWork{
		containersv1.KindContainerCreateRequest: {createContainer, transferTimeout},
		containersv1.KindImagePullRequest:       {pullImage, transferTimeout},
		containersv1.KindImagePushRequest:       {pushImage, transferTimeout},
		containersv1.KindImageTagRequest:        {tagImage, callTimeout},
		containersv1.KindPruneRequest:           {prune, transferTimeout},
		containersv1.KindNetworkCreateRequest:   {createNetwork, callTimeout},
		containersv1.KindVolumeCreateRequest:    {createVolume, callTimeout},
	}
}

// phase says how far a request is after a part of its work.
type phase int

const (
	// phaseRetry: the engine could not be reached, and the part is repeated.
	phaseRetry phase = iota
	// phaseRecorded: the work continues when the status is stored.
	phaseRecorded
	phaseCompleted
	phaseFailed
)

// Outcome is the result of a part of the work.
type Outcome struct {
	phase phase
	// Reason and Message of the conditions.
	Reason, Message string
	// Result of the request; nil when there is none.
	Result *containersv1.RequestResult
	// Set sets the fields of the status that only this kind has; it may be nil.
	Set func(containersv1.Request)
}

// Recorded returns the outcome of a work that continues when the outcome is stored.
func Recorded(reason, message string, result *containersv1.RequestResult) Outcome {
	return Outcome{phase: phaseRecorded, Reason: reason, Message: message, Result: result}
}

// Completed returns the outcome of a request that was carried out.
func Completed(message string, result *containersv1.RequestResult) Outcome {
	return Outcome{phase: phaseCompleted, Message: message, Result: result}
}

// Failed returns the outcome of a request that cannot be carried out.
func Failed(reason, message string) Outcome {
	return Outcome{phase: phaseFailed, Reason: reason, Message: message}
}

// Retry returns the outcome of a work that is to be repeated.
func Retry(err error) Outcome {
	return Outcome{phase: phaseRetry, Reason: containersv1.ReasonRetrying, Message: err.Error()}
}

// FailedWith returns the outcome for an error of the engine. An engine that cannot be
// reached, or that still works on an earlier attempt, is called again.
func FailedWith(ctx context.Context, err error) Outcome {
	switch {
	case engine.IsAway(err) || ctx.Err() != nil || errors.Is(err, engine.ErrUnderWay):
		return Retry(err)
	case engine.IsConflict(err):
		return Failed(containersv1.ReasonAlreadyExists, err.Error())
	case engine.IsNotFound(err):
		return Failed(containersv1.ReasonNotFound, err.Error())
	case engine.IsInvalid(err):
		return Failed(containersv1.ReasonInvalid, err.Error())
	default:
		return Failed(containersv1.ReasonRequestRefused, err.Error())
	}
}

// resultOf returns the resource that mirrors an object of the engine.
func resultOf(key engine.Key) *containersv1.RequestResult {
	return &containersv1.RequestResult{Kind: key.Kind, Name: key.ResourceName()}
}
