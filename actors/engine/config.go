package engine

import (
	"context"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
)

// MirrorSpec names a mirror to create.
type MirrorSpec struct {
	Kind      containersv1.Kind
	Name      string
	Namespace string
	// Engine is nil for a mirror whose engine is gone.
	Engine engine.Engine
	Report func(state string)
	// IsUnshared reports whether the engine's host lacks a path of this machine; nil if
	// that is this machine.
	IsUnshared func(path string) bool
}

// Dialer prepares the engine at an endpoint. It does not connect.
type Dialer func(endpoint string) (engine.Engine, error)

// Config has the parts that the engine supervisor is created from.
type Config struct {
	// EnsureNamespace creates the Kubernetes namespace of the mirrors.
	EnsureNamespace func(ctx context.Context, name string) error
	// Subscribe delivers objects and their changes; see kube.Informers.
	Subscribe func(ctx context.Context, sink func(kube.Event), objects ...client.Object) error
	Dial      Dialer
	// NewMirror creates a mirror actor.
	NewMirror func(MirrorSpec) actor.Actor
	// MarkFailed sets a condition on a resource whose mirror was given up.
	MarkFailed func(ctx context.Context, kind containersv1.Kind, namespace, name string, cause error) error
	// Props creates the props of a child, which the live picture of the tree shows
	// under its full name.
	Props  func(name string, produce func(report func(string)) actor.Actor) *actor.Props
	Logger *slog.Logger
	// Report shows the supervisor's state in the live picture.
	Report func(state string)
	Settings
}

// Settings are the times of the engine supervisor.
type Settings struct {
	// Grace is the grace period: how long mirrors stay after the connection was lost.
	Grace time.Duration
	// Slow is the first pause after restarts have passed their intensity limit.
	Slow time.Duration
}

// DefaultSettings returns the settings of a daemon.
func DefaultSettings() Settings {
	return Settings{Grace: 15 * time.Second, Slow: 5 * time.Second}
}
