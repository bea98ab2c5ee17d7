package request

import (
	"context"
	"fmt"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/registryauth"
)

// transferTimeout bounds a pull, a push or a prune. The engine ends a transfer that makes
// no progress long before.
const transferTimeout = 24 * time.Hour

// pullImage carries out an ImagePullRequest. A pull can be repeated: the engine leaves an
// image that it has as it is.
func pullImage(ctx context.Context, t Task) Outcome {
	r := t.Request.(*containersv1.ImagePullRequest)
	platform, err := engine.ParsePlatform(r.Spec.Platform)
	if err != nil {
		return FailedWith(ctx, err)
	}
	key, failure := t.pull(ctx, engine.PullSpec{Ref: r.Spec.Image, Platform: platform})
	if failure != nil {
		return *failure
	}
	return Completed(fmt.Sprintf("image %s was pulled", r.Spec.Image), resultOf(key))
}

// pull pulls an image and reports the progress.
func (t Task) pull(ctx context.Context, image engine.PullSpec) (key engine.Key, failure *Outcome) {
	with, failure := t.credentials(ctx, image.Ref)
	if failure != nil {
		return engine.Key{}, failure
	}
	key, err := t.Engine.Pull(ctx, image, with, func(p engine.Progress) { t.Progress(progressOf(p)) })
	if err != nil {
		return engine.Key{}, transferFailed(ctx, image.Ref, err)
	}
	return key, nil
}

// pushImage carries out an ImagePushRequest. A push can be repeated: the registry keeps
// what it has.
func pushImage(ctx context.Context, t Task) Outcome {
	r := t.Request.(*containersv1.ImagePushRequest)
	with, failure := t.credentials(ctx, r.Spec.Image)
	if failure != nil {
		return *failure
	}
	digest, err := t.Engine.Push(ctx, r.Spec.Image, with, func(p engine.Progress) { t.Progress(progressOf(p)) })
	if err != nil {
		return *transferFailed(ctx, r.Spec.Image, err)
	}
	out := Completed(fmt.Sprintf("image %s was pushed: digest %s", r.Spec.Image, digest), nil)
	out.Set = func(r containersv1.Request) { r.(*containersv1.ImagePushRequest).Status.Digest = digest }
	return out
}

// tagImage carries out an ImageTagRequest. It can be repeated: a tag that an image has
// already stays.
func tagImage(ctx context.Context, t Task) Outcome {
	r := t.Request.(*containersv1.ImageTagRequest)
	key, err := t.Engine.Tag(ctx, r.Spec.Image, r.Spec.Tag)
	if err != nil {
		return FailedWith(ctx, err)
	}
	return Completed(fmt.Sprintf("image %s has the tag %s", r.Spec.Image, r.Spec.Tag), resultOf(key))
}

// credentials returns the user's credentials for the registry of an image.
func (t Task) credentials(ctx context.Context, image string) (engine.Credentials, *Outcome) {
	with, err := t.Credentials(ctx, image)
	if err == nil {
		return with, nil
	}
	out := Failed(containersv1.ReasonNoCredentials, err.Error())
	if ctx.Err() != nil {
		out = Retry(err)
	}
	return engine.Credentials{}, &out
}

// transferFailed returns the outcome for an error of a pull or a push. The message has the
// words of the registry.
func transferFailed(ctx context.Context, image string, err error) *Outcome {
	out := FailedWith(ctx, err)
	if out.phase == phaseFailed && engine.IsUnauthorized(err) {
		out = Failed(containersv1.ReasonUnauthorized, fmt.Sprintf("%v: sign in with '%s'", err, registryauth.SignInCommand(image)))
	}
	return &out
}

// progressOf returns the progress of a transfer as the status has it.
func progressOf(p engine.Progress) containersv1.RequestProgress {
	current, total := p.Bytes()
	out := containersv1.RequestProgress{
		Bytes: current, TotalBytes: total, Layers: int32(p.Done()), TotalLayers: int32(len(p.Layers)), //nolint:gosec // at most MaxLayers
	}
	for _, layer := range p.Layers {
		out.Items = append(out.Items, containersv1.LayerProgress{
			ID: layer.ID, Status: layer.Status, Bytes: layer.Current, TotalBytes: layer.Total, Done: layer.Done,
		})
		if !layer.Done {
			out.Phase = layer.Status
		}
	}
	return out
}
