package engine

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// Transferrer moves images between the engine and registries, and removes what is
// unused. The calls take as long as they must, and ctx ends them: an engine stops a
// pull or a push when its client leaves. They need no deadline.
//
// Credentials are given with each call. They are in no error and in no log.
type Transferrer interface {
	// Pull pulls an image, with the tag latest when the reference has neither tag nor
	// digest, and returns the key of its mirror. An image that the engine has already
	// is left as it is. progress is called with
	// each change, one call at a time; the value belongs to the callee. The error
	// has the words of the registry or the engine, also when they arrive after the
	// transfer has begun. A registry that sends nothing for long is an error.
	Pull(ctx context.Context, image PullSpec, with Credentials, progress func(Progress)) (Key, error)

	// Push pushes the image that has a tag to the registry that the tag names, and
	// returns the digest by which the registry knows it. What was said of Pull
	// holds for progress and errors.
	Push(ctx context.Context, ref string, with Credentials, progress func(Progress)) (digest string, err error)

	// Tag gives an image, found by ID, tag or digest, another tag, and returns the
	// key of its mirror. Another image loses the tag. ctx needs a deadline.
	Tag(ctx context.Context, image, tag string) (Key, error)

	// Prune removes unused objects and returns them. It plans first, by the rules
	// of Plan, and then removes one object after the other, never forced: what is in
	// use by then stays. With DryRun it returns the plan and removes nothing. removed
	// is called after each removal. When ctx ends or a call fails, the report has
	// what was removed before.
	Prune(ctx context.Context, options PruneOptions, removed func(Pruned)) ([]Pruned, error)
}

// PullSpec names an image to pull.
type PullSpec struct {
	// Ref is a name with an optional registry, and an optional tag or digest.
	Ref string
	// Platform selects one image of several platforms; empty is the engine's own. An
	// engine pulls an image of one platform for every other, too.
	Platform Platform
}

// Platform is the operating system and the processor that an image is for. The zero value
// is none.
type Platform struct{ OS, Architecture, Variant string }

// ParsePlatform reads OS/ARCHITECTURE with an optional /VARIANT, such as linux/arm/v7. An
// empty text is no platform.
func ParsePlatform(text string) (Platform, error) {
	if text == "" {
		return Platform{}, nil
	}
	parts := append(strings.Split(text, "/"), "")
	if len(parts) < 3 || len(parts) > 4 || slices.Contains(parts[:len(parts)-1], "") {
		return Platform{}, fmt.Errorf("platform %q: use OS/ARCHITECTURE with an optional /VARIANT, such as linux/arm64 or linux/arm/v7: %w",
			text, errdefs.ErrInvalidArgument)
	}
	return Platform{OS: parts[0], Architecture: parts[1], Variant: parts[2]}, nil
}

// String returns the platform as ParsePlatform reads it.
func (p Platform) String() string {
	if p == (Platform{}) {
		return ""
	}
	return strings.TrimSuffix(p.OS+"/"+p.Architecture+"/"+p.Variant, "/")
}

// Credentials sign in to one registry. The zero value signs in to none.
type Credentials struct {
	// Server is the registry that they belong to, as the Docker configuration
	// names it.
	Server             string
	Username, Password string
	// IdentityToken and RegistryToken replace the password.
	IdentityToken, RegistryToken string
}

// String keeps secrets out of errors and logs.
func (c Credentials) String() string { return "credentials of " + c.Server }

// GoString is String for %#v.
func (c Credentials) GoString() string { return c.String() }

// LogValue is String for slog.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MaxLayers is how many layers a Progress has at most: an image has up to 127 of them,
// and some engines also report manifests and configurations.
const MaxLayers = 256

// Progress is how far a pull or a push has come.
type Progress struct {
	// Layers in the order of their first report.
	Layers []Layer
}

// Layer is the progress of one layer.
type Layer struct {
	// ID is the beginning of the layer's digest.
	ID string
	// Status in the engine's words, such as Downloading.
	Status string
	// Current and Total are bytes of the transfer. Total is 0 while it is unknown.
	Current, Total int64
	// Done is set when nothing remains to be done for the layer.
	Done bool
}

// Set replaces the progress of a layer, or adds it, and reports whether that changed
// anything.
func (p *Progress) Set(layer Layer) bool {
	for i := range p.Layers {
		if p.Layers[i].ID == layer.ID {
			changed := p.Layers[i] != layer
			p.Layers[i] = layer
			return changed
		}
	}
	if len(p.Layers) == MaxLayers {
		return false
	}
	p.Layers = append(p.Layers, layer)
	return true
}

// Layer returns the progress of a layer; the zero value of one that was not reported.
func (p *Progress) Layer(id string) Layer {
	for _, layer := range p.Layers {
		if layer.ID == id {
			return layer
		}
	}
	return Layer{ID: id}
}

// Clone returns a copy that shares nothing.
func (p *Progress) Clone() Progress { return Progress{Layers: append([]Layer(nil), p.Layers...)} }

// Bytes returns how many bytes were transferred, and how many are known to be.
func (p *Progress) Bytes() (current, total int64) {
	for _, layer := range p.Layers {
		current += layer.Current
		total += layer.Total
	}
	return current, total
}

// Done returns how many layers need no more work.
func (p *Progress) Done() (n int) {
	for _, layer := range p.Layers {
		if layer.Done {
			n++
		}
	}
	return n
}

// PruneOptions select what Prune removes.
type PruneOptions struct {
	// Kinds of the objects: Container, Image, Volume, Network and KindBuildCache.
	Kinds []containersv1.Kind
	// All selects images that have a tag, volumes that have a name, and the build cache
	// that images share, too.
	All bool
	// Until is when an object was created at the latest, or a record of the build cache
	// used; zero selects all.
	Until time.Time
	// Labels that an object must have, or must not have.
	Labels []LabelFilter
	// DryRun removes nothing.
	DryRun bool
}

// Pruned is an object that Prune has removed, or would remove.
type Pruned struct {
	Key Key
	// Name as users know it: the name of a container, a volume or a network, the
	// tag or else the ID of an image, the step of a build.
	Name string
	// Bytes that only this object used: the writable layer of a container, the
	// layers of an image that no other image shares.
	Bytes int64
}
