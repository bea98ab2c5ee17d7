package memory

import (
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// BuildCacheSpec describes a record of the build cache.
type BuildCacheSpec struct {
	// Description is the step of a build that made the record.
	Description string
	// Parent is the ID of the record that this one was built on, or empty.
	Parent string
	// Internal is set for a record that an image shares, or that is the engine's own.
	Internal bool
	// InUse is set while a build uses the record.
	InUse bool
	Size  int64
}

// BuildCache is a record of the build cache as it was at one moment.
type BuildCache struct {
	BuildCacheSpec
	ID      string
	Created time.Time
}

// AddBuildCache adds a record to the build cache, as a build does, and returns its ID.
func (e *Engine) AddBuildCache(spec BuildCacheSpec) string {
	defer e.lock()()
	if e.buildCache == nil {
		e.buildCache = map[string]*BuildCache{}
	}
	id := e.nextID("build cache")[:25]
	e.buildCache[id] = &BuildCache{BuildCacheSpec: spec, ID: id, Created: e.now()}
	return id
}

// BuildCache returns all records of the build cache, sorted by ID.
func (e *Engine) BuildCache() []BuildCache {
	defer e.lock()()
	out := make([]BuildCache, 0, len(e.buildCache))
	for _, id := range sortedKeys(e.buildCache) {
		out = append(out, *e.buildCache[id])
	}
	return out
}

// PruneBuildCache removes one record of the build cache, unless it is in use or another
// one was built on it, and reports whether it did.
func (e *Engine) PruneBuildCache(id string) bool {
	defer e.lock()()
	found := e.buildCache[id]
	if found == nil || found.InUse {
		return false
	}
	for _, other := range e.buildCache {
		if other.Parent == id {
			return false
		}
	}
	delete(e.buildCache, id)
	e.emit("builder", "prune", "", map[string]string{"reclaimed": "0"})
	return true
}

// cacheInventory returns the build cache for a prune. The engine is locked.
func (e *Engine) cacheInventory() (out []engine.PruneCache) {
	for _, id := range sortedKeys(e.buildCache) {
		c := e.buildCache[id]
		out = append(out, engine.PruneCache{Internal: c.Internal, PruneObject: engine.PruneObject{
			ID: id, Name: c.Description, Created: c.Created, Bytes: c.Size, Kept: c.InUse,
		}})
	}
	return out
}

// errCacheInUse is the answer to a prune that removed nothing.
func errCacheInUse(id string) error {
	return conflict("%s %s is in use", containersv1.PruneBuildCache, id)
}
