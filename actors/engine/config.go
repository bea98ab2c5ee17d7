package engine

import (
	"context"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
)

// MirrorSpec says which mirror to make.
type MirrorSpec struct {
	Kind      containersv1.Kind
	Name      string
	Namespace string
	// Engine is nil for a mirror that was left behind by an engine that is gone.
	Engine docker.API
	Report func(state string)
}

// Config is what the engine supervisor is made from.
type Config struct {
	// EnsureNamespace makes the Kubernetes namespace of the mirrors.
	EnsureNamespace func(ctx context.Context, name string) error
	// Subscribe delivers objects and their changes; see kube.Informers.
	Subscribe func(ctx context.Context, sink func(kube.Event), objects ...client.Object) error
	// Dial makes a client for an endpoint; it does not connect yet.
	Dial func(endpoint string) (docker.API, error)
	// NewMirror makes a mirror actor.
	NewMirror func(MirrorSpec) actor.Actor
	// MarkFailed shows on a resource that its mirror fails for good.
	MarkFailed func(ctx context.Context, kind containersv1.Kind, namespace, name string, cause error) error
	// Props makes the props of a child that shows in the live picture of the
	// tree under its full name.
	Props  func(name string, produce func(report func(string)) actor.Actor) *actor.Props
	Logger *slog.Logger
	// Report shows the supervisor's state in the live picture.
	Report func(state string)
	Settings
}

// Settings are the times and sizes of the engine supervisor.
type Settings struct {
	// Grace is how long mirrors outlive a broken connection.
	Grace time.Duration
	// Resync is the longest time between two full syncs. They are a safety net, and
	// more frequent after a connection: see firstResync.
	Resync time.Duration
	// Ping is the time between two looks at an engine that says nothing.
	Ping time.Duration
	// Answer is how long the engine may take to answer one look.
	Answer time.Duration
	// Slow is the pause after the session's restarts passed their intensity limit.
	Slow time.Duration
	// Pool is how many objects are read at once.
	Pool int
}

// DefaultSettings returns the settings of a daemon.
func DefaultSettings() Settings {
	return Settings{
		Grace: 15 * time.Second, Resync: 5 * time.Minute, Ping: 15 * time.Second,
		Answer: 10 * time.Second,
		Slow:   5 * time.Second, Pool: 8,
	}
}
