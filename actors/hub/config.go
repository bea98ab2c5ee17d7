package hub

import (
	"context"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/home"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
)

// The names of the children.
const (
	LeaseName    = "lease"
	EngineName   = "engine"
	RequestsName = "requests"
	BridgeName   = "bridge"
)

// Home is the hub, for this machine; see home.Home.
type Home interface {
	Probe(ctx context.Context) error
	Reopen()
	HoldLease(ctx context.Context, identity string, events home.LeaseEvents) error
	Skew(ctx context.Context) (*home.Skew, error)
	Informers() (*kube.Informers, error)
	WriteMachine(ctx context.Context, name string, status hubv1.MachineStatus) error
	RenewToken(ctx context.Context) (next time.Time, err error)
	Close()
}

// Subtree has the props of the children that exist while the hub is followed.
type Subtree struct {
	// Engine is the engine supervisor, and Bridge runs the informers.
	Engine, Bridge *actor.Props
	// Requests returns the supervisor of the requests.
	Requests func(engine *actor.PID) *actor.Props
}

// Config has the parts that the hub actor is created from.
type Config struct {
	// Load returns the hub that this machine has joined, or home.ErrNotJoined.
	Load func() (*home.Join, error)
	// Identity returns what distinguishes this machine from others.
	Identity func() (string, error)
	// Open prepares the hub. It sends no request.
	Open func(*home.Join, home.Observer) (Home, error)
	// Subtree returns the children for new informers.
	Subtree func(*home.Join, Home, *home.Skew, *kube.Informers) Subtree
	// Props creates the props of a child, which the live picture of the tree shows under
	// its full name.
	Props func(name string, produce func(report func(string)) actor.Actor) *actor.Props
	// Version of the program.
	Version string
	Logger  *slog.Logger
	// Report shows the actor's state in the live picture.
	Report func(state string)
}
