package docker

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/distribution/reference"
	"github.com/moby/moby/api/pkg/authconfig"
	"github.com/moby/moby/api/types/registry"
	"github.com/moby/moby/client"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// TransferAPI is the part of the Docker Engine API that moves images, and removes what is
// unused. Pulls and pushes
// need no deadline: they end with the context, or when nothing is received for long.
type TransferAPI interface {
	// PullImage pulls an image by tag or digest. report is called with each change of
	// a layer, one call at a time.
	PullImage(ctx context.Context, image engine.PullSpec, with engine.Credentials, report func(engine.Layer)) error
	// PushImage pushes one tag, and returns the digest by which the registry knows it.
	PushImage(ctx context.Context, ref string, with engine.Credentials, report func(engine.Layer)) (digest string, err error)
	// TagImage gives an image another tag.
	TagImage(ctx context.Context, image, tag string) error
	// PruneContainer removes a container that does not run. Its anonymous volumes stay.
	PruneContainer(ctx context.Context, id string) error
	// PruneBuildCache removes a record of the build cache. It is a conflict if the engine
	// does not remove it, because it is in use.
	PruneBuildCache(ctx context.Context, id string) error
	// Inventory reads what the kinds of a prune need.
	Inventory(ctx context.Context, kinds []containersv1.Kind) (engine.Inventory, error)
}

// PullImage implements API.
func (d *httpAPI) PullImage(ctx context.Context, image engine.PullSpec, with engine.Credentials, report func(engine.Layer)) error {
	var platforms []ocispec.Platform
	if p := image.Platform; p != (engine.Platform{}) {
		platforms = []ocispec.Platform{{OS: p.OS, Architecture: p.Architecture, Variant: p.Variant}}
	}
	_, err := d.transfer(ctx, "pull", image.Ref, with, report,
		func(ctx context.Context, cli *client.Client, ref, auth string) (io.ReadCloser, error) {
			return cli.ImagePull(ctx, ref, client.ImagePullOptions{RegistryAuth: auth, Platforms: platforms})
		})
	return err
}

// PushImage implements API.
func (d *httpAPI) PushImage(ctx context.Context, ref string, with engine.Credentials, report func(engine.Layer)) (string, error) {
	return d.transfer(ctx, "push", ref, with, report,
		func(ctx context.Context, cli *client.Client, ref, auth string) (io.ReadCloser, error) {
			return cli.ImagePush(ctx, ref, client.ImagePushOptions{RegistryAuth: auth})
		})
}

// TagImage implements API.
func (d *httpAPI) TagImage(ctx context.Context, image, tag string) error {
	return d.command(ctx, func(cli *client.Client) error {
		_, err := cli.ImageTag(ctx, client.ImageTagOptions{Source: image, Target: tag})
		return err
	})
}

// transfer begins a pull or a push and follows it to its end. It takes no connection from
// other calls.
func (d *httpAPI) transfer(ctx context.Context, verb, ref string, with engine.Credentials, report func(engine.Layer),
	begin func(ctx context.Context, cli *client.Client, ref, auth string) (io.ReadCloser, error),
) (digest string, err error) {
	named, err := parseReference(ref)
	if err != nil {
		return "", err
	}
	auth, err := encodeCredentials(with)
	if err != nil {
		return "", err
	}
	cli, err := d.client(ctx)
	if err != nil {
		return "", err
	}
	watched, alive, stop := watchSilence(withoutLimit(ctx), d.silence)
	defer stop()
	stream, err := begin(watched, cli, named.String(), auth)
	if err == nil {
		digest, err = followTransfer(stream, alive, report)
		_ = stream.Close()
	}
	switch {
	case err == nil:
		return digest, nil
	case ctx.Err() != nil:
		return "", fmt.Errorf("%s %s: %w", verb, ref, context.Cause(ctx))
	case errors.Is(context.Cause(watched), errSilence):
		return "", fmt.Errorf("%s %s: %w for %s: check that the registry %s answers, and retry",
			verb, ref, errSilence, d.silence, reference.Domain(named))
	default:
		return "", refused(err)
	}
}

// parseReference reads a reference to an image, in which latest is the default tag.
func parseReference(ref string) (reference.Named, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return nil, fmt.Errorf("image %q: %w", ref, err)
	}
	return reference.TagNameOnly(named), nil
}

// encodeCredentials returns the header of a request. Its errors do not quote the
// credentials.
func encodeCredentials(c engine.Credentials) (string, error) {
	auth, err := authconfig.Encode(registry.AuthConfig{
		Username: c.Username, Password: c.Password, ServerAddress: c.Server,
		IdentityToken: c.IdentityToken, RegistryToken: c.RegistryToken,
	})
	if err != nil {
		return "", errors.New("the credentials of " + c.Server + " cannot be encoded: sign in again with docker login")
	}
	return auth, nil
}

// Pull implements engine.Transferrer.
func (e *dockerEngine) Pull(ctx context.Context, image engine.PullSpec, with engine.Credentials, progress func(engine.Progress)) (engine.Key, error) {
	if err := e.PullImage(ctx, image, with, gather(progress)); err != nil {
		return engine.Key{}, classifiedTransfer(err)
	}
	return e.imageKey(ctx, image.Ref)
}

// Push implements engine.Transferrer.
func (e *dockerEngine) Push(ctx context.Context, ref string, with engine.Credentials, progress func(engine.Progress)) (string, error) {
	digest, err := e.PushImage(ctx, ref, with, gather(progress))
	return digest, classifiedTransfer(err)
}

// Tag implements engine.Transferrer.
func (e *dockerEngine) Tag(ctx context.Context, image, tag string) (engine.Key, error) {
	if err := e.TagImage(ctx, image, tag); err != nil {
		return engine.Key{}, classified(err)
	}
	return e.imageKey(ctx, tag)
}

// gather returns a function that keeps the progress of all layers.
func gather(progress func(engine.Progress)) func(engine.Layer) {
	var now engine.Progress
	return func(layer engine.Layer) {
		if now.Set(layer) {
			progress(now.Clone())
		}
	}
}

// imageKey returns the key of the mirror of an image that a tag or a digest names. An
// image that was pulled by digest may have tags; the first one then names its mirror.
func (e *dockerEngine) imageKey(ctx context.Context, ref string) (engine.Key, error) {
	named, err := parseReference(ref)
	if err != nil {
		return engine.Key{}, err
	}
	tag := reference.FamiliarString(named)
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	images, err := e.Inspect(ctx, containersv1.KindImage, tag)
	if err != nil {
		return engine.Key{}, classified(err)
	}
	for _, image := range images {
		if key := engine.KeyOf(image); key.Tag == tag {
			return key, nil
		}
	}
	return engine.KeyOf(images[0]), nil
}
