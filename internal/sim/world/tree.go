package world

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	containerengine "github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/laws"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/machine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/schedule"
)

// Tree is the actor tree that is simulated.
type Tree interface {
	schedule.Tree
	// Boot starts a daemon.
	Boot(Surroundings) Daemon
	// Roles returns the roles whose actors crash. A role that it lists twice crashes
	// twice as often.
	Roles() []string
	// MayFail reports whether actors of a role fail by themselves, as a session does
	// when its connection breaks.
	MayFail(role string) bool
	// Grace returns the grace period of the engine supervisor.
	Grace() time.Duration
	// Created reports to the laws of its home that an actor was created or restarted.
	Created(of func(isHub bool) *laws.Laws, actor string)
	// Posted reports to the laws of its home the facts that a message to an actor has.
	Posted(of func(isHub bool) *laws.Laws, actor string, message any)
}

// Surroundings connect a daemon to the world.
type Surroundings struct {
	// Mailbox returns the mailbox of a new actor.
	Mailbox func(name string) *schedule.Mailbox
	// Later calls a function after a moment that is drawn for who.
	Later func(who string, f func())
	// Serve starts the control plane.
	Serve func(context.Context) (*Server, error)
	// Drivers of the machines, in the order in which they are tried.
	Drivers []machine.Driver
	// Dial returns an engine by its endpoint.
	Dial func(endpoint string) (containerengine.Engine, error)
	// Hub is the hub that the machine has joined; nil for none.
	Hub    *Membership
	Logger *slog.Logger
}

// Membership is how a daemon is joined to a hub.
type Membership struct {
	// Transport sends requests to the hub.
	Transport http.RoundTripper
	// Machine is the name of the machine, and Identity what distinguishes it.
	Machine, Identity string
	Allow             hubv1.Allow
}

// HubEndpoint returns the endpoint by which the mirrors of the hub reach the same engine, so
// that the laws distinguish their commands from those of the other home.
func HubEndpoint(endpoint string) string { return endpoint + "#hub" }

// Daemon is one daemon, from its start to its end.
type Daemon interface {
	// Stop asks the tree to end until it has.
	Stop(keepVM bool)
	// Kill stops the actors. Their process is dead.
	Kill()
	// Ended is closed when the tree has ended.
	Ended() <-chan struct{}
	// StopEngine stops an engine that the tree has not stopped.
	StopEngine(ctx context.Context)
	// Close releases what the daemon holds after its end, and returns how many
	// failures of actors and dead letters it had.
	Close() (failures, deadLetters int)
	// State describes the tree.
	State() string
}
