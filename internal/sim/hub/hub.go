package hub

import (
	"errors"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
)

const (
	// Machine is the name of the machine, and of its namespace.
	Machine = "laptop"
	// Identity of the machine in its Lease.
	Identity = "laptop_1"
)

// phase of the namespace.
type phase int

const (
	active phase = iota
	terminating
	missing
)

// Witness observes what a daemon writes besides mirrors and requests.
type Witness interface {
	// Renewed is called when the machine has acquired or renewed its Lease.
	Renewed()
	// Released is called when the machine has released its Lease.
	Released()
	// Written is called when the machine has changed the status of its Machine.
	Written()
	// Note adds an event to the trace.
	Note(who, what string)
}

// Hub is the state of a hub. It is safe for concurrent use.
type Hub struct {
	*cluster.Cluster
	fates *fate.Fates
	link  *fate.Link
	// rates returns what can happen to the next change of a watch.
	rates   func() cluster.WatchRates
	witness Witness

	mu       sync.Mutex // guards what follows
	phase    phase
	lease    *coordinationv1.Lease
	versions int
	status   hubv1.MachineStatus
	// lost is closed when all connections are lost.
	lost chan struct{}
	// isReadable is set if the machine may read the definitions.
	isReadable bool
}

// New returns a hub that a machine can join. In some runs the machine may read the
// definitions, which takes long.
func New(f *fate.Fates, rates func() cluster.WatchRates, witness Witness) *Hub {
	h := &Hub{
		Cluster: cluster.NewHub(), fates: f, rates: rates, witness: witness, lost: make(chan struct{}),
		isReadable: f.Draw("hub definitions").Chance(0.03),
	}
	h.link = fate.NewLink(f, "hub",
		func(d *fate.Dice) error {
			if d.Chance(0.3) {
				return apierrors.NewTooManyRequestsError("simulated: too many requests")
			}
			return apierrors.NewInternalError(errors.New("simulated: the datastore failed"))
		},
		func(*fate.Dice) error { return errLost },
	)
	h.SetNamespace(Machine, true)
	return h
}

var errLost = errors.New("simulated: the connection to the hub was lost")

func (h *Hub) with(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
}

// SetRates sets the faults of requests. No request hangs for ever, and none crashes, because
// that would end the goroutine of a library.
func (h *Hub) SetRates(r fate.Rates) {
	r.Hang, r.Crash = 0, 0
	h.link.Set(r)
}

// Leave makes the hub unreachable, until Return.
func (h *Hub) Leave(d *fate.Dice) {
	h.link.SetDown(fate.Pick(d, []error{
		errLost, errLost, apierrors.NewServiceUnavailable("simulated: the hub starts"),
		apierrors.NewUnauthorized("simulated: the token is not accepted"),
	}))
	h.with(func() {
		close(h.lost)
		h.lost = make(chan struct{})
	})
}

// IsAway reports whether the hub is unreachable.
func (h *Hub) IsAway() bool { return h.link.Down() != nil }

// Return makes the hub reachable again.
func (h *Hub) Return() { h.link.SetDown(nil) }

// Freeze makes all requests hang until Thaw.
func (h *Hub) Freeze() { h.link.Freeze() }

// Thaw ends a Freeze.
func (h *Hub) Thaw() { h.link.Thaw() }

// IsActive reports whether the namespace exists, and is not being deleted.
func (h *Hub) IsActive() (yes bool) {
	h.with(func() { yes = h.phase == active })
	return yes
}

// DeleteNamespace begins to delete the namespace by force, with all mirrors in it. It returns
// the mirrors as they were before.
func (h *Hub) DeleteNamespace() []containersv1.Mirror {
	h.with(func() { h.phase, h.lease = terminating, nil })
	return h.DeleteAll()
}

// CompleteDeletion removes the namespace with what is left in it, as 'rdd hub remove' does.
func (h *Hub) CompleteDeletion() {
	h.Clear()
	h.with(func() { h.phase = missing })
	h.SetNamespace(Machine, false)
}

// AddMachine creates the namespace, as 'rdd hub add' does.
func (h *Hub) AddMachine() {
	h.with(func() { h.phase, h.status = active, hubv1.MachineStatus{} })
	h.SetNamespace(Machine, true)
}

// TakeLease makes another machine the holder of the Lease. A zero duration releases it.
func (h *Hub) TakeLease(identity string, duration time.Duration) {
	h.with(func() {
		if h.phase != active {
			return
		}
		h.setLease(leaseOf(identity, duration))
	})
}
