package memory

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// Engine is a container engine in memory. All methods are safe for concurrent use.
//
// A container is named by its ID, its name, or the beginning of its ID, an image by
// its ID, a tag, or the beginning of its ID. Methods named Add and Pull, Load and
// Build panic on what dockerd would refuse: they are for tests.
type Engine struct {
	name   string
	broker broker

	mu         sync.Mutex // guards what follows
	images     map[string]*Image
	tags       map[string]string // reference to image ID
	children   map[string]int    // image ID to the number of images built on it
	containers map[string]*Container
	names      map[string]string // name to container ID
	volumes    map[string]*Volume
	networks   map[string]*Network // by ID
	// networkNames has the names of networks by ID, also of those that were removed.
	networkNames map[string]string
	subnets      int
	serial       uint64
	offset       time.Duration
	version      string
	apiVersion   string
	down         bool
	observer     func(Change)
	changes      []Change
	feeds        map[*feed]struct{}
	stops        map[string]chan struct{} // of containers, closed when the stop has ended
	// life ends when the engine's process does, or when it closes its streams.
	life    context.Context
	endLife context.CancelFunc
	// buildCache has the records of the build cache by ID; nil before the first one.
	buildCache map[string]*BuildCache
	// registries by host.
	registries map[string]*registry
}

// New returns an engine that has nothing but its predefined networks. The name makes
// its IDs differ from those of other engines; they are the same in each run.
func New(name string) *Engine {
	e := &Engine{
		name: name, version: "20.10.24+sim", apiVersion: "1.41", broker: newBroker(),
		feeds: map[*feed]struct{}{}, stops: map[string]chan struct{}{},
	}
	e.clear()
	e.endStreams()
	return e
}

func (e *Engine) clear() {
	e.images, e.tags, e.children = map[string]*Image{}, map[string]string{}, map[string]int{}
	e.containers, e.names = map[string]*Container{}, map[string]string{}
	e.volumes, e.networks, e.networkNames = map[string]*Volume{}, map[string]*Network{}, map[string]string{}
	e.buildCache = nil
	e.addPredefined()
}

// Stop ends the engine's process: event streams end, the remembered events are
// forgotten, and containers that ran have exited, or are removed. The engine can be used
// again at once, as after a restart.
func (e *Engine) Stop() {
	defer e.lock()()
	for _, id := range sortedKeys(e.containers) {
		if c := e.containers[id]; c.Running {
			c.exit(e.now(), exitKilled)
			e.changedContainer(c)
			e.autoRemove(c)
		}
	}
	for _, id := range sortedKeys(e.networks) {
		e.changed(containersv1.KindNetwork, id)
	}
	e.broker.forget()
	e.broker.end(io.ErrUnexpectedEOF)
	e.endFeeds(errEnded)
	e.endStreams()
}

// endStreams ends the streams of containers. Later ones begin another life.
func (e *Engine) endStreams() {
	if e.endLife != nil {
		e.endLife()
	}
	e.life, e.endLife = context.WithCancel(context.Background())
}

// ForgetEvents forgets the remembered events.
func (e *Engine) ForgetEvents() { e.broker.forget() }

// Wipe removes everything, without an event, as a new disk does. The predefined
// networks get new IDs.
func (e *Engine) Wipe() {
	defer e.lock()()
	for _, kind := range containersv1.Kinds() {
		for _, id := range e.ids(kind) {
			e.changed(kind, id)
		}
	}
	e.clear()
	e.broker.forget()
}

// SetClockOffset sets how far the engine's clock is ahead of the host's.
func (e *Engine) SetClockOffset(offset time.Duration) {
	defer e.lock()()
	e.offset = offset
}

// Now returns the time by the engine's clock.
func (e *Engine) Now() time.Time {
	defer e.lock()()
	return e.now()
}

func (e *Engine) now() time.Time { return time.Now().Add(e.offset).UTC() }

// SetVersion upgrades or downgrades the engine, for example to 28.0.0 with API 1.48.
func (e *Engine) SetVersion(version, apiVersion string) {
	defer e.lock()()
	e.version, e.apiVersion = version, apiVersion
}

// Version returns the versions of the engine and of its API.
func (e *Engine) Version() (version, apiVersion string) {
	defer e.lock()()
	return e.version, e.apiVersion
}

// nextID returns an ID of 64 hex digits.
func (e *Engine) nextID(kind string) string {
	e.serial++
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", e.name, kind, e.serial))
	return hex.EncodeToString(sum[:])
}

func sortedKeys[T any](objects map[string]T) []string {
	return slices.Sorted(maps.Keys(objects))
}
