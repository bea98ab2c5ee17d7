package request

import (
	"context"
	"log/slog"

	"github.com/asynkron/protoactor-go/actor"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
)

// Writer reads and writes requests. Get, UpdateStatus and Delete return the API server's
// own errors.
type Writer interface {
	// Get reads the request into obj.
	Get(ctx context.Context, obj client.Object) error
	// UpdateStatus writes only the status, and updates obj to the stored request.
	UpdateStatus(ctx context.Context, obj client.Object) error
	// Delete deletes the request if it has the UID and the resource version of obj.
	Delete(ctx context.Context, obj client.Object) error
}

// Config has the parts of the supervisor and of the actors.
type Config struct {
	// Subscribe delivers objects and their changes; see kube.Informers.
	Subscribe func(ctx context.Context, sink func(kube.Event), objects ...client.Object) error
	// EnsureNamespace creates a namespace of Kubernetes unless it exists.
	EnsureNamespace func(ctx context.Context, name string) error
	Kube            Writer
	// Credentials returns the user's credentials for the registry that a reference to an
	// image names.
	Credentials func(ctx context.Context, image string) (engine.Credentials, error)
	// Refusal is why this machine carries out no requests, for their users; empty if it
	// does. A request that is refused waits, because the user of the machine may allow it
	// later.
	Refusal string
	// Ledger records the requests that were carried out; nil for an API server that does not
	// forget them.
	Ledger Ledger
	// Engine is the engine supervisor, which has the connected engine.
	Engine *actor.PID
	// Events records events of the requests; nil records none.
	Events kube.Recorder
	// Props creates the props of a child, which the live picture of the tree shows
	// under its full name.
	Props  func(name string, produce func(report func(string)) actor.Actor) *actor.Props
	Logger *slog.Logger
	// Report shows the supervisor's state in the live picture.
	Report func(state string)
}

// spec names the request of an actor.
type spec struct {
	kind            containersv1.RequestKind
	namespace, name string
}
