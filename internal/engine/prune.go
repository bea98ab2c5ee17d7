package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// Inventory is what an engine has, as far as Plan needs it.
type Inventory struct {
	Containers []PruneContainer
	Images     []PruneImage
	Volumes    []PruneObject
	Networks   []PruneObject
	BuildCache []PruneCache
}

// KindBuildCache is the kind of the records of the build cache, which have no mirror.
const KindBuildCache = containersv1.Kind(containersv1.PruneBuildCache)

// PruneObject is an object that may be unused.
type PruneObject struct {
	ID, Name string
	Created  time.Time
	Labels   map[string]string
	Bytes    int64
	// Kept is set for an object that the engine never removes, such as a predefined
	// network.
	Kept bool
}

// PruneContainer is a container and what it uses.
type PruneContainer struct {
	PruneObject

	// Active is set unless the container has never run or its process has ended: a
	// paused container is active.
	Active  bool
	ImageID string
	// Volumes by name, and Networks by name or ID.
	Volumes, Networks []string
}

// PruneImage is an image and its tags. Name is not used.
type PruneImage struct {
	PruneObject

	Tags []string
}

// PruneCache is a record of the build cache. Created is when it was used last.
type PruneCache struct {
	PruneObject

	// Internal is set for a record that an image shares, or that the engine made for
	// itself.
	Internal bool
}

// Plan returns what Prune removes, in this order. The rules are those of docker prune:
//
//   - of containers, those that have no process;
//   - of networks, volumes and images, those that no remaining container uses. A
//     container that has no process uses them too, unless it is pruned itself;
//   - of images, those without a tag, and with All those with tags. An image goes with
//     all of its tags or stays with all of them;
//   - of volumes, the anonymous ones, and with All those with a name;
//   - of the build cache, the records that no build uses, the last used one first, and
//     with All those that an image shares or that the engine made for itself.
//
// Until and Labels restrict all of them.
func Plan(have Inventory, options PruneOptions) []Pruned {
	p := planner{options: options, used: map[string]bool{}}
	var plan []Pruned
	for _, c := range sorted(have.Containers, func(c PruneContainer) string { return c.Name }) {
		if !c.Active && p.selects(containersv1.KindContainer, c.PruneObject) {
			plan = append(plan, pruned(containersv1.KindContainer, c.PruneObject))
			continue
		}
		p.use("image", c.ImageID)
		p.use("volume", c.Volumes...)
		p.use("network", c.Networks...)
	}
	byName := func(o PruneObject) string { return o.Name }
	for _, n := range sorted(have.Networks, byName) {
		if p.selects(containersv1.KindNetwork, n) && !p.uses("network", n.ID, n.Name) {
			plan = append(plan, pruned(containersv1.KindNetwork, n))
		}
	}
	for _, v := range sorted(have.Volumes, byName) {
		if p.selects(containersv1.KindVolume, v) && !p.uses("volume", v.ID) && (options.All || isAnonymous(v)) {
			plan = append(plan, pruned(containersv1.KindVolume, v))
		}
	}
	for _, i := range sorted(have.Images, func(i PruneImage) string { return i.ID }) {
		if p.selects(containersv1.KindImage, i.PruneObject) && !p.uses("image", i.ID) && (options.All || len(i.Tags) == 0) {
			plan = append(plan, prunedImage(i)...)
		}
	}
	return append(plan, p.planCache(have.BuildCache)...)
}

// planCache returns the records of the build cache to remove: a record before those that
// it was built on.
func (p *planner) planCache(records []PruneCache) (plan []Pruned) {
	newest := slices.SortedStableFunc(slices.Values(records), func(a, b PruneCache) int { return b.Created.Compare(a.Created) })
	for _, c := range newest {
		if p.selects(KindBuildCache, c.PruneObject) && (p.options.All || !c.Internal) {
			plan = append(plan, pruned(KindBuildCache, c.PruneObject))
		}
	}
	return plan
}

type planner struct {
	options PruneOptions
	used    map[string]bool
}

func (p *planner) use(what string, ids ...string) {
	for _, id := range ids {
		p.used[what+" "+id] = true
	}
}

func (p *planner) uses(what string, ids ...string) bool {
	return slices.ContainsFunc(ids, func(id string) bool { return p.used[what+" "+id] })
}

// selects reports whether the options select an object, if it is unused.
func (p *planner) selects(kind containersv1.Kind, o PruneObject) bool {
	if o.Kept || !slices.Contains(p.options.Kinds, kind) {
		return false
	}
	// An object whose time of creation the engine does not say may be new.
	if until := p.options.Until; !until.IsZero() && (o.Created.IsZero() || o.Created.After(until)) {
		return false
	}
	return !slices.ContainsFunc(p.options.Labels, func(f LabelFilter) bool { return !f.matches(o.Labels) })
}

// anonymousLabel marks anonymous volumes since Docker 23. Before, a generated name is
// the only sign.
const anonymousLabel = "com.docker.volume.anonymous"

var generatedName = regexp.MustCompile(`^[0-9a-f]{64}$`)

func isAnonymous(volume PruneObject) bool {
	_, labelled := volume.Labels[anonymousLabel]
	return labelled || generatedName.MatchString(volume.Name)
}

func pruned(kind containersv1.Kind, o PruneObject) Pruned {
	return Pruned{Key: Key{Kind: kind, ID: o.ID}, Name: cmp.Or(o.Name, o.ID), Bytes: o.Bytes}
}

// prunedImage returns one line for each tag. The bytes go with the last one.
func prunedImage(image PruneImage) []Pruned {
	tags := slices.Sorted(slices.Values(image.Tags))
	if len(tags) == 0 {
		tags = []string{""}
	}
	lines := make([]Pruned, len(tags))
	for i, tag := range tags {
		lines[i] = Pruned{Key: Key{Kind: containersv1.KindImage, ID: image.ID, Tag: tag}, Name: cmp.Or(tag, image.ID)}
	}
	lines[len(lines)-1].Bytes = image.Bytes
	return lines
}

func sorted[T any](objects []T, name func(T) string) []T {
	return slices.SortedStableFunc(slices.Values(objects), func(a, b T) int { return strings.Compare(name(a), name(b)) })
}

// LabelFilter is a condition on the labels of an object.
type LabelFilter struct {
	Key string
	// Value is compared when HasValue is set; otherwise the key alone counts.
	Value    string
	HasValue bool
	// Not inverts the condition.
	Not bool
}

// ParseLabelFilter reads a filter in one of the forms key, key=value, !key and
// key!=value.
func ParseLabelFilter(text string) (LabelFilter, error) {
	var f LabelFilter
	f.Key, f.Value, f.HasValue = strings.Cut(text, "=")
	switch {
	case f.HasValue && strings.HasSuffix(f.Key, "!"):
		f.Key, f.Not = strings.TrimSuffix(f.Key, "!"), true
	case strings.HasPrefix(f.Key, "!"):
		f.Key, f.Not = strings.TrimPrefix(f.Key, "!"), true
	}
	if f.Key == "" {
		return LabelFilter{}, fmt.Errorf("label filter %q has no key: write key, key=value, !key or key!=value", text)
	}
	return f, nil
}

func (f LabelFilter) matches(labels map[string]string) bool {
	value, ok := labels[f.Key]
	return (ok && (!f.HasValue || value == f.Value)) != f.Not
}

// RemovePlanned removes the objects of a plan with remove, and returns those that it
// removed. An object that is gone or in use by now is left out. One that is in use is
// tried once more after others were removed, which may have used it.
func RemovePlanned(ctx context.Context, plan []Pruned, remove func(context.Context, Key) error, removed func(Pruned)) (done []Pruned, err error) {
	var failures []error
	for again := true; again && len(plan) > 0; {
		var inUse []Pruned
		again = false
		for _, p := range plan {
			if ctx.Err() != nil {
				return done, context.Cause(ctx)
			}
			err := remove(ctx, p.Key)
			switch {
			case err == nil:
				again = true
				done = append(done, p)
				removed(p)
			case IsAway(err):
				return done, err
			case IsConflict(err) || errdefs.IsPermissionDenied(err):
				inUse = append(inUse, p)
			case !IsNotFound(err):
				failures = append(failures, fmt.Errorf("%s %s: %w", p.Key.Kind, p.Name, err))
			}
		}
		plan = inUse
	}
	return done, errors.Join(failures...)
}
