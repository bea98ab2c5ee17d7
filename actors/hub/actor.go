package hub

import (
	"cmp"
	"context"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/task"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/home"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// hub is the actor.
type hub struct {
	Config
	tasks *task.Runner
	// isStopping is set when this incarnation ends.
	isStopping bool
	facts      facts

	// owner receives HubChanged; published is the last one.
	owner     *actor.PID
	published messages.HubChanged
	// publishedAt is when published was sent, and isThrottled is set while the next one,
	// which only reports progress, waits.
	publishedAt time.Time
	isThrottled bool
	// command is the last command for the engine supervisor; nil before the first one.
	command messages.EngineCommand
	// driver is what runs the engine, or has run an idle one; empty if none is desired.
	driver appv1.DriverName

	// join is the hub that this machine has joined, and home its API; nil for none.
	join *home.Join
	home Home
	// isReading is set while the join is being read, and isStale if it has changed since.
	isReading, isStale bool
	// identity of this machine.
	identity string

	// lease, engine, requests and bridge are the children; nil for those that do not
	// exist. ending are those that were stopped and have not ended yet.
	lease, engine, requests, bridge *actor.PID
	ending                          map[string]struct{}
	skew                            *home.Skew
	// isPreparing is set while the definitions are being compared, or while the pause
	// before that is repeated.
	isPreparing bool
	// isComparing is set while the next comparison of the definitions of a hub that is
	// followed waits for a short pause.
	isComparing bool
	// probes counts the probes in a row that found the hub away, and failures the
	// preparations in a row that failed.
	probes, failures int
	// informers of the subtree, and endCounts ends their subscription by counts.
	informers *kube.Informers
	endCounts context.CancelFunc
	counts    counts
	machine   machineStatus
	// reported is the state that the live picture shows.
	reported string
}

// machineStatus is the status of the Machine on the hub.
type machineStatus struct {
	// written is the status that was written last; nil before the first one.
	written *hubv1.MachineStatus
	// isBusy is set while a write runs, or during the pause after it.
	isBusy bool
}

// New returns a hub actor.
func New(cfg Config) actor.Actor { return &hub{Config: cfg, ending: map[string]struct{}{}} }

// toSelf is a message of the hub actor to itself: the result of a task, or a timer. Those
// with a home are of that one, and stale if this machine has joined another hub since.
//
//sumtype:decl
type toSelf interface{ toSelf() }

type (
	joinRead struct {
		join     *home.Join
		identity string
		err      error
	}
	foundAway struct {
		home  Home
		cause error
	}
	foundRefused struct {
		home    Home
		message string
	}
	foundSkew    struct{ home Home }
	foundLeaving struct{ home Home }
	joinDue      struct{}
	probeDue     struct{ home Home }
	probed       struct {
		home Home
		err  error
	}
	turnCome struct{ home Home }
	leaseDue struct{ home Home }
	prepared struct {
		home Home
		skew *home.Skew
		err  error
	}
	prepareDue struct{ home Home }
	compareDue struct{ home Home }
	// compareSoonDue is compareDue, once.
	compareSoonDue struct{ home Home }
	compared       struct {
		home Home
		skew *home.Skew
		err  error
	}
	machineStale struct{ home Home }
	delivery     struct {
		informers *kube.Informers
		event     kube.Event
	}
	publishDue   struct{}
	machineDue   struct{}
	machineWrote struct {
		home   Home
		status hubv1.MachineStatus
		err    error
	}
	tokenDue  struct{ home Home }
	tokenRead struct {
		home Home
		next time.Time
		err  error
	}
)

func (joinRead) toSelf()       {}
func (foundAway) toSelf()      {}
func (foundRefused) toSelf()   {}
func (foundSkew) toSelf()      {}
func (foundLeaving) toSelf()   {}
func (compareSoonDue) toSelf() {}
func (joinDue) toSelf()        {}
func (compareDue) toSelf()     {}
func (compared) toSelf()       {}
func (machineStale) toSelf()   {}
func (probeDue) toSelf()       {}
func (probed) toSelf()         {}
func (turnCome) toSelf()       {}
func (leaseDue) toSelf()       {}
func (prepared) toSelf()       {}
func (prepareDue) toSelf()     {}
func (delivery) toSelf()       {}
func (publishDue) toSelf()     {}
func (machineDue) toSelf()     {}
func (machineWrote) toSelf()   {}
func (tokenDue) toSelf()       {}
func (tokenRead) toSelf()      {}

// Receive implements actor.Actor.
func (h *hub) Receive(c actor.Context) {
	if h.isStopping {
		return
	}
	switch msg := c.Message().(type) {
	case *actor.Started:
		h.tasks = task.NewRunner(c)
		h.readJoin()
	case *actor.Stopping, *actor.Restarting:
		h.isStopping = true
		h.tasks.Stop()
		if h.home != nil {
			h.home.Close()
		}
		return
	case *actor.Terminated:
		h.terminated(msg.Who)
	case messages.ToHub:
		h.receive(c, msg)
	case task.Done:
		if value, ok := h.tasks.Take(msg); ok {
			h.receiveOwn(c, value.(toSelf))
		}
	default:
		h.Logger.Error("unexpected message for the hub actor", "message", msg)
		return
	}
	h.update(c)
}

func (h *hub) receive(c actor.Context, msg messages.ToHub) {
	switch msg := msg.(type) {
	case messages.ConnectEngine:
		h.commanded(c, msg)
	case messages.DisconnectEngine:
		h.commanded(c, msg)
	case messages.SuspendEngine:
		h.commanded(c, msg)
	case messages.EngineChanged:
		if h.engine == nil {
			return // of a subtree that was stopped
		}
		if h.facts.engine = msg; msg.State == messages.EngineReady {
			h.failures, h.probes = 0, 0
		}
	case messages.JoinChanged:
		h.readJoin()
	case messages.LeaseChanged:
		h.leaseChanged(msg)
	case messages.ChildFailed:
		h.childFailed(c, msg)
	}
}

// commanded keeps a command of the app actor, and forwards it.
func (h *hub) commanded(c actor.Context, msg messages.EngineCommand) {
	// An owner that restarted knows nothing.
	h.owner, h.command, h.published = c.Sender(), msg, messages.HubChanged{}
	switch msg := msg.(type) {
	case messages.ConnectEngine:
		h.driver = msg.Driver
	case messages.DisconnectEngine:
		h.driver = ""
	case messages.SuspendEngine:
		h.driver = cmp.Or(h.driver, msg.Driver) // a daemon that has restarted knows no other one
	}
	h.sendCommand(c)
}

// update starts what follows from the facts, and publishes what changed.
func (h *hub) update(c actor.Context) {
	h.follow(c)
	h.writeMachine()
	now := derive(h.facts)
	if h.join != nil {
		now.Hub = h.join.Status()
		now.InUse = now.InUse && h.join.Allow != hubv1.AllowView // no request is carried out
	}
	state := now.Reason
	if !now.IsJoined {
		state = "not joined"
	}
	if state != h.reported {
		h.reported = state
		h.Report(state)
	}
	h.publish(c, now)
}

// progressEvery is the interval between two reports of progress.
const progressEvery = time.Second

// publish sends the owner what changed. Progress is sent at intervals, because each report
// is a write of the App, and a first sync takes minutes.
func (h *hub) publish(c actor.Context, now messages.HubChanged) {
	if h.owner == nil || now == h.published {
		return
	}
	isProgress := now.Reason == h.published.Reason && now.IsSynced == h.published.IsSynced && now.Hub == h.published.Hub
	if pause := progressEvery - time.Since(h.publishedAt); isProgress && pause > 0 {
		if !h.isThrottled {
			h.isThrottled = true
			h.tasks.After(pause, publishDue{})
		}
		return
	}
	h.published, h.publishedAt = now, time.Now()
	c.Send(h.owner, now)
}

func (h *hub) receiveOwn(c actor.Context, msg toSelf) {
	switch msg := msg.(type) {
	case joinRead:
		h.joinRead(c, msg)
	case delivery:
		if msg.informers == h.informers {
			h.counts.deliver(msg.event)
		}
	case publishDue:
		h.isThrottled = false
	case machineDue:
		h.machine.isBusy = false
	case foundAway:
		h.foundAway(msg)
	case foundRefused:
		h.foundRefused(msg)
	case foundSkew:
		h.foundSkew(msg)
	case joinDue:
		h.readJoin()
	case foundLeaving:
		h.compareSoon(msg.home)
	case compareDue:
		if msg.home == h.home {
			h.tasks.After(compareEvery, msg)
			h.compare()
		}
	case compareSoonDue:
		if msg.home == h.home {
			h.isComparing = false
			h.compare()
		}
	case compared:
		h.compared(msg)
	case machineStale:
		if msg.home == h.home {
			h.machine.written = nil
		}
	case probeDue:
		h.probe(msg)
	case probed:
		h.probed(msg)
	case turnCome:
		if msg.home == h.home {
			h.facts.isDelayed = false
		}
	case leaseDue:
		h.acquireLease(c, msg.home)
	case prepareDue:
		h.isPreparing = h.isPreparing && msg.home != h.home
	case prepared:
		h.prepared(msg)
	case machineWrote:
		h.machineWritten(msg)
	case tokenDue:
		h.renewToken(msg.home)
	case tokenRead:
		h.tokenRead(msg)
	}
}
