package agent

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
)

// board holds the status and tells who waits when it changes.
type board struct {
	mu      sync.Mutex
	status  limahost.Status
	changed chan struct{}
}

func newBoard(first limahost.Status) *board {
	first.Revision = 1
	return &board{status: first, changed: make(chan struct{})}
}

// read returns the status.
func (b *board) read() limahost.Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.status
}

// update changes the status. The change must not touch the revision, nor what a
// slice or a pointer in it refers to.
func (b *board) update(change func(*limahost.Status)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	was := b.status
	change(&b.status)
	if quiet(was, b.status) {
		return
	}
	b.status.Revision++
	close(b.changed)
	b.changed = make(chan struct{})
}

// freeStep is the change of the guest's free space, as a part of its disk, that
// is news.
const freeStep = 100

// quiet is whether nothing changed that anybody would want to be woken for: a
// heartbeat says that all is as it was, every few seconds.
func quiet(was, is limahost.Status) bool {
	a, b := was.Guest, is.Guest
	was.Guest, is.Guest = nil, nil
	if !reflect.DeepEqual(was, is) || (a == nil) != (b == nil) {
		return false
	}
	if a == nil {
		return true
	}
	moved := a.DiskFree - b.DiskFree
	return a.BootID == b.BootID && a.DiskSize == b.DiskSize && max(moved, -moved) <= b.DiskSize/freeStep
}

// enter begins a phase, which ends the one before.
func (b *board) enter(p limahost.Phase) {
	now := time.Now()
	b.update(func(s *limahost.Status) {
		if s.Phase == p {
			return
		}
		if s.Phase != "" {
			took := limahost.PhaseTime{Phase: s.Phase, Took: now.Sub(s.PhaseSince)}
			// A new slice: readers have the old one.
			s.Phases = append(slices.Clip(s.Phases), took)
		}
		s.Phase, s.PhaseSince = p, now
	})
}

// wait returns the status when its revision is above since, or when ctx ends.
func (b *board) wait(ctx context.Context, since int64) limahost.Status {
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
			return b.read()
		}
	}
}
