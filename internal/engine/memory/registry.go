package memory

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/distribution/reference"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// RegistrySpec describes a registry that the engine can reach. The zero value needs no
// password and answers.
type RegistrySpec struct {
	// Username and Password that pulls and pushes need.
	Username, Password string
	// Hangs is set for a registry that accepts connections and never answers.
	Hangs bool
	// Pace is how long each step of the transfer of a layer takes.
	Pace time.Duration
}

// registry is a registry and the images that it has, by tag and by digest.
type registry struct {
	RegistrySpec

	images map[string]remoteImage
}

// remoteImage is an image in a registry.
type remoteImage struct {
	id   string
	spec ImageSpec
}

// AddRegistry adds a registry at a host, which has no images until the engine pushes
// some. A host without a registry has every image, as the internet seems to.
func (e *Engine) AddRegistry(host string, spec RegistrySpec) {
	defer e.lock()()
	if e.registries == nil {
		e.registries = map[string]*registry{}
	}
	e.registries[host] = &registry{RegistrySpec: spec, images: map[string]remoteImage{}}
}

// HasRegistry reports whether a registry was added at the host that a reference names.
func (e *Engine) HasRegistry(ref string) bool {
	named, err := parseReference(ref)
	if err != nil {
		return false
	}
	defer e.lock()()
	return e.registries[reference.Domain(named)] != nil
}

// enter returns the registry of a reference when it lets the client in.
func (e *Engine) enter(ctx context.Context, named reference.Named, with engine.Credentials) (*registry, error) {
	host := reference.Domain(named)
	r := func() *registry {
		defer e.lock()()
		return e.registries[host]
	}()
	switch {
	case r == nil:
		return &registry{}, nil
	case r.Hangs:
		<-ctx.Done()
		return nil, context.Cause(ctx)
	case r.Username == "":
		return r, nil
	case with.Username == "":
		return nil, unauthorized("Head \"http://%s/v2/%s/manifests/latest\": no basic auth credentials", host, reference.Path(named))
	case with.Username != r.Username || with.Password != r.Password:
		return nil, unauthorized("Head \"http://%s/v2/%s/manifests/latest\": unauthorized: authentication required", host, reference.Path(named))
	}
	return r, nil
}

// find returns the image of a reference. A platform selects among the images of a registry
// that has all; another one has one image for a reference, and as with real engines it is
// found for every platform. The engine is locked.
func (r *registry) find(named reference.Named, platform engine.Platform) (remoteImage, error) {
	familiar := reference.FamiliarString(named)
	if r.images == nil {
		sum := sha256.Sum256([]byte(familiar + platform.String()))
		spec := ImageSpec{Size: int64(sum[0]) << 16, OS: platform.OS, Architecture: platform.Architecture}
		return remoteImage{"sha256:" + hex.EncodeToString(sum[:]), spec}, nil
	}
	found, ok := r.images[familiar]
	if !ok {
		return remoteImage{}, notFound("manifest for %s not found: manifest unknown: manifest unknown", familiar)
	}
	return found, nil
}

// digestOf returns the reference by digest of an image in a repository.
func digestOf(named reference.Named, id string) string {
	sum := sha256.Sum256([]byte("manifest " + id))
	return reference.FamiliarName(named) + "@sha256:" + hex.EncodeToString(sum[:])
}

// layersOf returns the layers of an image: two, of which the first is the smaller one.
func layersOf(image remoteImage) []engine.Layer {
	first := image.spec.Size / 4
	digits := image.id[len(image.id)-24:]
	return []engine.Layer{{ID: digits[:12], Total: first}, {ID: digits[12:], Total: image.spec.Size - first}}
}

// move reports the steps of the transfer of layers.
func (r *registry) move(ctx context.Context, layers []engine.Layer, steps []string, report func(engine.Layer)) error {
	for _, layer := range layers {
		for i, status := range steps {
			layer.Status = status
			if last := len(steps) - 1; i > 0 {
				layer.Current = layer.Total * int64(i) / int64(last)
				layer.Done = i == last
			}
			report(layer)
			if r.Pace > 0 {
				select {
				case <-ctx.Done():
				case <-time.After(r.Pace):
				}
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
		}
	}
	return nil
}

func (img *Image) addDigest(digest string) {
	if !slices.Contains(img.Digests, digest) {
		img.Digests = append(slices.Clone(img.Digests), digest)
	}
}

// SetPace sets how long each step of the transfer of a layer takes.
func (e *Engine) SetPace(host string, pace time.Duration) {
	defer e.lock()()
	e.registries[host].Pace = pace
}
