package docker

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/containerd/errdefs"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// Settings are the times and sizes of a watch. Zero means the default.
type Settings struct {
	// Resync is the longest pause between two full syncs, which correct what events
	// did not report. The first pauses of a watch are shorter: see firstResync.
	Resync time.Duration
	// Ping is the pause between two probes of the engine.
	Ping time.Duration
	// Answer is how long the engine may take to answer a probe.
	Answer time.Duration
	// Pool is how many objects a full sync reads at once.
	Pool int
	// Silence is how long a registry and the engine may send nothing during a pull or
	// a push. A registry may take long to store a large layer, and an engine to unpack
	// one.
	Silence time.Duration
}

// DefaultSettings returns the settings of a daemon.
func DefaultSettings() Settings {
	return Settings{Resync: 5 * time.Minute, Ping: 15 * time.Second, Answer: 10 * time.Second, Pool: 8, Silence: 3 * time.Minute}
}

// dockerEngine is the engine behind an API.
type dockerEngine struct {
	API

	settings Settings
	logger   *slog.Logger
	// watching are the tasks of the watch that runs; nil when none does.
	watching atomic.Pointer[async.Runner]
}

// New returns the engine behind an API.
func New(api API, settings Settings, logger *slog.Logger) engine.Engine {
	d := DefaultSettings()
	return &dockerEngine{API: api, logger: logger, settings: Settings{
		Resync: cmp.Or(settings.Resync, d.Resync), Ping: cmp.Or(settings.Ping, d.Ping),
		Answer: cmp.Or(settings.Answer, d.Answer), Pool: cmp.Or(settings.Pool, d.Pool),
	}}
}

// Dialer returns a function that prepares the engine at an endpoint. See Dial for
// the endpoints.
func Dialer(settings Settings, logger *slog.Logger) func(endpoint string) (engine.Engine, error) {
	return func(endpoint string) (engine.Engine, error) {
		api, err := dial(endpoint, logger)
		if err != nil {
			return nil, err
		}
		api.silence = cmp.Or(settings.Silence, api.silence)
		return New(api, settings, logger), nil
	}
}

// Get implements engine.Engine. A transient state can end without an event, so the watch
// must know of it.
func (e *dockerEngine) Get(ctx context.Context, key engine.Key) (containersv1.Mirror, error) {
	object := engine.Key{Kind: key.Kind, ID: key.ID}
	if key.Tag != "" {
		object.ID = key.Tag
	}
	mirrors, err := inspect(ctx, e.API, object)
	if err != nil {
		return nil, classified(err)
	}
	e.recheckTransient(key, mirrors)
	for _, m := range mirrors {
		if key.Kind != containersv1.KindImage || engine.KeyOf(m) == key {
			return m, nil
		}
	}
	if key.Tag == "" {
		return nil, fmt.Errorf("image %s has a tag now: %w", key.ID, errdefs.ErrNotFound)
	}
	return nil, fmt.Errorf("tag %s does not belong to image %s: %w", key.Tag, key.ID, errdefs.ErrNotFound)
}

// Do implements engine.Engine.
func (e *dockerEngine) Do(ctx context.Context, key engine.Key, verb engine.Verb) error {
	return classified(e.do(ctx, key, verb))
}

func (e *dockerEngine) do(ctx context.Context, key engine.Key, verb engine.Verb) error {
	switch {
	case verb == engine.VerbRemove:
		return e.remove(ctx, key)
	case key.Kind != containersv1.KindContainer:
	case verb == engine.VerbStart:
		if err := e.resume(ctx, key.ID); err != nil {
			return err
		}
		return e.StartContainer(ctx, key.ID)
	case verb == engine.VerbStop:
		if err := e.resume(ctx, key.ID); err != nil {
			return err
		}
		return e.StopContainer(ctx, key.ID)
	case verb == engine.VerbPause:
		return e.PauseContainer(ctx, key.ID)
	case verb == engine.VerbUnpause:
		return e.UnpauseContainer(ctx, key.ID)
	case verb == engine.VerbKill:
		return e.KillContainer(ctx, key.ID)
	}
	return fmt.Errorf("%s of a %s: %w", verb, key.Kind, errdefs.ErrNotImplemented)
}

func (e *dockerEngine) remove(ctx context.Context, key engine.Key) error {
	id := key.ID
	if key.Kind == containersv1.KindImage {
		// The tag may have moved to another image since the mirror was read.
		if _, err := e.Get(ctx, key); err != nil {
			return err
		}
		id = cmp.Or(key.Tag, id)
	}
	return e.Remove(ctx, key.Kind, id)
}

// resume unpauses a paused container, which can neither start nor handle the stop
// signal.
func (e *dockerEngine) resume(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	mirrors, err := e.Inspect(ctx, containersv1.KindContainer, id)
	if err != nil || mirrors[0].(*containersv1.Container).Status.Status != containersv1.ContainerPaused {
		return err
	}
	if err := e.UnpauseContainer(ctx, id); err != nil && !engine.IsConflict(err) {
		return err
	}
	return nil
}

// inspect reads the mirrors of one object. An image has one for each tag; the ID of
// its key may also be a reference.
func inspect(ctx context.Context, api API, key engine.Key) ([]containersv1.Mirror, error) {
	switch {
	case key.Kind != containersv1.KindContainerNamespace:
		return api.Inspect(ctx, key.Kind, key.ID)
	case key.ID != containersv1.MobyNamespace:
		return nil, fmt.Errorf("namespace %s: %w", key.ID, errdefs.ErrNotFound)
	}
	return []containersv1.Mirror{namespaceMirror()}, nil
}

// namespaceMirror returns the mirror of the only namespace of a Docker engine.
func namespaceMirror() *containersv1.ContainerNamespace {
	ns := &containersv1.ContainerNamespace{}
	ns.Name = containersv1.MobyNamespace
	ns.Status.Name = containersv1.MobyNamespace
	return ns
}

func mirrorOf[T containersv1.Mirror](object T, err error) ([]containersv1.Mirror, error) {
	if err != nil {
		return nil, err
	}
	return []containersv1.Mirror{object}, nil
}

func mirrorsOf[T containersv1.Mirror](objects []T, err error) ([]containersv1.Mirror, error) {
	if err != nil {
		return nil, err
	}
	out := make([]containersv1.Mirror, len(objects))
	for i, object := range objects {
		out[i] = object
	}
	return out, nil
}
