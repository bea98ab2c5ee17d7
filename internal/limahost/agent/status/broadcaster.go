// Package status holds the host agent's status, and serves it to the daemon and to
// the CLI.
//
// Reading map: broadcaster.go holds the status and wakes its waiters, serve.go
// answers HTTP requests for it.
package status

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
)

// Broadcaster holds the status and wakes its waiters when it changes.
type Broadcaster struct {
	mu      sync.Mutex
	status  limahost.Status
	changed chan struct{}
}

// New returns a broadcaster of a first status.
func New(first limahost.Status) *Broadcaster {
	first.Revision = 1
	return &Broadcaster{status: first, changed: make(chan struct{})}
}

// Get returns the status.
func (b *Broadcaster) Get() limahost.Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.status
}

// Update changes the status. change must not modify the revision, or the target of a
// slice or a pointer in the status.
func (b *Broadcaster) Update(change func(*limahost.Status)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.status
	change(&b.status)
	if equivalent(before, b.status) {
		return
	}
	b.status.Revision++
	close(b.changed)
	b.changed = make(chan struct{})
}

// minFreeChange is the smallest change of the guest's free space that wakes waiters, as
// a fraction of the disk: one hundredth.
const minFreeChange = 100

// equivalent reports whether waiters can ignore the difference of two statuses.
// Heartbeats arrive every few seconds and differ in their time. Clients come and go.
func equivalent(before, after limahost.Status) bool {
	a, b := before.Guest, after.Guest
	before.Guest, after.Guest = nil, nil
	before.Clients, after.Clients = nil, nil
	if !reflect.DeepEqual(before, after) || (a == nil) != (b == nil) {
		return false
	}
	if a == nil {
		return true
	}
	difference := a.DiskFree - b.DiskFree
	return a.BootID == b.BootID && a.DiskSize == b.DiskSize && max(difference, -difference) <= b.DiskSize/minFreeChange
}

// EnterPhase begins a phase and completes the one before.
func (b *Broadcaster) EnterPhase(p limahost.Phase) {
	now := time.Now()
	b.Update(func(s *limahost.Status) {
		if s.Phase == p {
			return
		}
		if s.Phase != "" {
			took := limahost.PhaseTime{Phase: s.Phase, Took: now.Sub(s.PhaseSince)}
			// A new slice, because readers have the old one.
			s.Phases = append(slices.Clip(s.Phases), took)
		}
		s.Phase, s.PhaseSince = p, now
	})
}

// Wait returns the status when its revision is above since, or when ctx ends.
func (b *Broadcaster) Wait(ctx context.Context, since int64) limahost.Status {
	for {
		b.mu.Lock()
		status, changed := b.status, b.changed
		b.mu.Unlock()
		if status.Revision > since {
			return status
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return b.Get()
		}
	}
}
