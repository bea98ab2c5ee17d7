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

// MirrorSpec says which mirror to make.
type MirrorSpec struct {
	Kind      containersv1.Kind
	Name      string
	Namespace string
	// Engine is nil for a mirror that was left behind by an engine that is gone.
	Engine engine.Engine
	Report func(state string)
}

// Dialer prepares the engine at an endpoint. It does not connect.
type Dialer func(endpoint string) (engine.Engine, error)

// Config is what the engine supervisor is made from.
type Config struct {
	// EnsureNamespace makes the Kubernetes namespace of the mirrors.
	EnsureNamespace func(ctx context.Context, name string) error
	// Subscribe delivers objects and their changes; see kube.Informers.
	Subscribe func(ctx context.Context, sink func(kube.Event), objects ...client.Object) error
	Dial      Dialer
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

// Settings are the times of the engine supervisor.
type Settings struct {
	// Grace is how long mirrors outlive a broken connection.
	Grace time.Duration
	// Slow is the pause after the session's restarts passed their intensity limit.
	Slow time.Duration
}

// DefaultSettings returns the settings of a daemon.
func DefaultSettings() Settings {
	return Settings{Grace: 15 * time.Second, Slow: 5 * time.Second}
}
