package controller

import (
	"context"
	"errors"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/machines"
)

// errChanged is why an act ends early: the Lease of the machine has changed.
var errChanged = errors.New("the machine has changed its Lease")

// record is the state of a Lease. Its zero value is that of a Lease that does not exist.
type record struct {
	uid    types.UID
	holder string
	// acquired and renewed are times on the clock of the machine, in microseconds. They are
	// compared with earlier ones, and with no other clock.
	acquired, renewed int64
	transitions       int32
}

// recordOf returns the state of a Lease; nil is none.
func recordOf(lease *coordinationv1.Lease) record {
	if lease == nil {
		return record{}
	}
	r := record{uid: lease.UID}
	spec := lease.Spec
	if spec.HolderIdentity != nil {
		r.holder = *spec.HolderIdentity
	}
	if spec.AcquireTime != nil {
		r.acquired = spec.AcquireTime.UnixMicro()
	}
	if spec.RenewTime != nil {
		r.renewed = spec.RenewTime.UnixMicro()
	}
	if spec.LeaseTransitions != nil {
		r.transitions = *spec.LeaseTransitions
	}
	return r
}

// reading is what a controller has seen of the Lease of a machine.
type reading struct {
	record
	// since is when this controller first saw the record, on its own clock.
	since time.Time
	// isFirst is set if that was its first reading, and no change.
	isFirst bool
	// renewedAt is when the Lease was renewed, on the clock of the hub; zero if that is not
	// known.
	renewedAt time.Time
	// isEmptied is set once this controller has removed the mirrors.
	isEmptied bool
}

func (r reading) exists() bool { return r.uid != "" }

// isReturn reports whether this controller has seen the machine renew its Lease.
func (r reading) isReturn() bool { return !r.isFirst && r.holder != "" }

// memory is what a controller has seen since it became the leader. It is safe for concurrent
// use.
type memory struct {
	began time.Time

	mu       sync.Mutex
	machines map[string]*remembered
}

type remembered struct {
	reading
	wasDeleted bool
	// changed ends the act that relies on the reading; nil if there is none.
	changed context.CancelCauseFunc
}

func newMemory() *memory {
	return &memory{began: time.Now(), machines: map[string]*remembered{}}
}

// find returns what is known of a machine. The caller holds the lock.
func (m *memory) find(name string) *remembered {
	known := m.machines[name]
	if known == nil {
		known = &remembered{reading: reading{since: m.began, isFirst: true}}
		m.machines[name] = known
	}
	return known
}

// reading returns what was seen of the Lease of a machine, and whether its Machine was
// deleted.
func (m *memory) reading(name string) (of reading, wasDeleted bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	known := m.find(name)
	return known.reading, known.wasDeleted
}

// observe notes the Lease of a machine; nil if there is none. isInitial is set for a Lease
// that existed when the controller began to watch.
func (m *memory) observe(name string, lease *coordinationv1.Lease, isInitial bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	known, next := m.find(name), recordOf(lease)
	if next == known.record {
		return
	}
	known.reading = reading{record: next, since: time.Now(), isFirst: isInitial, renewedAt: machines.RenewedAt(lease)}
	if known.changed != nil {
		known.changed(errChanged)
	}
}

// emptied notes that the mirrors of a machine were removed, unless its Lease has changed
// since the reading.
func (m *memory) emptied(name string, of reading) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if known := m.find(name); known.record == of.record {
		known.isEmptied = true
	}
}

// deleted notes whether the deletion of a Machine is to be reported.
func (m *memory) deleted(name string, isUnreported bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.find(name).wasDeleted = isUnreported
}

// while returns a context that ends with errChanged when the Lease is no longer that of the
// reading. At most one act at a time can rely on the reading of a machine. The caller calls
// done after the act.
func (m *memory) while(ctx context.Context, name string, of reading) (during context.Context, done func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	known := m.find(name)
	during, cancel := context.WithCancelCause(ctx)
	if known.record != of.record {
		cancel(errChanged)
		return during, func() {}
	}
	known.changed = cancel
	return during, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		known.changed = nil
		cancel(nil)
	}
}
