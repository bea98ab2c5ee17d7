package world

import (
	"context"
	"log/slog"
	"time"

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
	// Created reports to the laws that an actor was created or restarted.
	Created(l *laws.Laws, actor string)
	// Posted reports to the laws the facts that a message has.
	Posted(l *laws.Laws, message any)
}

// Surroundings connect a daemon to the world.
type Surroundings struct {
	// Mailbox returns the mailbox of a new actor.
	Mailbox func(name string) *schedule.Mailbox
	// Serve starts the control plane.
	Serve func(context.Context) (*Server, error)
	// Drivers of the machines, in the order in which they are tried.
	Drivers []machine.Driver
	// Dial returns an engine by its endpoint.
	Dial   func(endpoint string) (containerengine.Engine, error)
	Logger *slog.Logger
}

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
