// Package heaptrim returns free memory to the operating system when a burst of work is
// over.
//
// The Go runtime lets the heap grow to twice its live size, and keeps that memory for the
// next burst. A daemon can be idle for hours, in which other programs could use it. The
// trimmer has no ticker: the garbage collector wakes it, so that it does nothing while
// nothing is allocated.
package heaptrim

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

// least is the smallest amount of memory, in bytes, that is worth a collection of
// garbage and the page faults of the next burst.
const least = 8 << 20

// trimmer trims the heap some time after the last garbage collection.
type trimmer struct {
	quiet time.Duration

	mu      sync.Mutex
	timer   *time.Timer
	stopped bool
	// own is set until the collection of a trim has been seen.
	own bool
}

// Start trims the heap of the process whenever it has not collected garbage for a quiet
// time, until stop is called. The runtime collects garbage at least every two minutes; so
// memory that became free without a collection is returned a little later.
func Start(quiet time.Duration) (stop func()) { return start(quiet).stop }

func start(quiet time.Duration) *trimmer {
	t := &trimmer{quiet: quiet}
	t.timer = time.AfterFunc(quiet, t.trim)
	t.awaitCollection()
	return t
}

// sentinel is unreachable at once, so that the next collection frees it. It has a pointer,
// because objects without one share their memory.
type sentinel struct{ _ *sentinel }

// awaitCollection calls collected after the next garbage collection.
func (t *trimmer) awaitCollection() {
	runtime.AddCleanup(&sentinel{}, (*trimmer).collected, t)
}

func (t *trimmer) collected() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopped {
		return
	}
	if !t.own {
		t.timer.Reset(t.quiet)
	}
	t.own = false
	t.awaitCollection()
}

// trim returns free memory. Its own collection does not start the timer again: a process
// that allocates slowly would otherwise collect garbage after each quiet time.
func (t *trimmer) trim() {
	if reclaimable() < least {
		return
	}
	t.mu.Lock()
	t.own = true
	t.mu.Unlock()
	debug.FreeOSMemory()
}

func (t *trimmer) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopped = true
	t.timer.Stop()
}

// reclaimable returns the number of bytes that a trim would return at least: the spans
// without objects, and what was allocated since the last collection and may be garbage.
func reclaimable() uint64 {
	const (
		live    = "/gc/heap/live:bytes"
		objects = "/memory/classes/heap/objects:bytes"
		free    = "/memory/classes/heap/free:bytes"
	)
	samples := []metrics.Sample{{Name: live}, {Name: objects}, {Name: free}}
	metrics.Read(samples)
	alive, now := samples[0].Value.Uint64(), samples[1].Value.Uint64()
	return samples[2].Value.Uint64() + max(now, alive) - alive
}
