package heaptrim

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// burstSize is far more than what else this process allocates.
const burstSize = 128 << 20

// burst allocates memory that is garbage when it returns.
func burst() {
	block := make([]byte, burstSize)
	for i := 0; i < len(block); i += 4096 {
		block[i] = 1 // in each page
	}
	runtime.KeepAlive(block)
}

// released returns the memory that the process has returned to the operating system.
func released() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// withoutCollections stops the runtime from collecting garbage and from returning memory
// on its own.
func withoutCollections(t *testing.T) {
	before := debug.SetGCPercent(-1)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	debug.FreeOSMemory()
}

func TestMemoryIsReturnedAfterBurst(t *testing.T) {
	withoutCollections(t)
	stop := Start(10 * time.Millisecond)
	defer stop()
	for range 2 {
		burst()
		runtime.GC()
		before := released()
		testkit.EventuallyTrue(t, 30*time.Second, "the memory of the burst is returned", func() bool {
			return released() >= before+burstSize-least
		})
	}
}

// A process that allocates slowly is trimmed after a collection of the runtime, and not
// again and again.
func TestTrimDoesNotRepeat(t *testing.T) {
	withoutCollections(t)
	const quiet = 10 * time.Millisecond
	burst()
	before := forced()
	defer Start(quiet)()
	testkit.EventuallyTrue(t, 30*time.Second, "a first trim", func() bool { return forced() > before })
	for range 5 {
		burst()
		<-time.After(5 * quiet) // the time in which nothing must happen
	}
	if got := forced() - before; got != 1 {
		t.Errorf("%d collections after one quiet time, want 1", got)
	}
}

// forced returns the number of collections that were not started by the runtime.
func forced() uint64 {
	sample := []metrics.Sample{{Name: "/gc/cycles/forced:gc-cycles"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

func TestReclaimableCountsGarbage(t *testing.T) {
	withoutCollections(t)
	if n := reclaimable(); n >= least {
		t.Errorf("after a trim, %d bytes are reclaimable", n)
	}
	burst()
	const want = burstSize - 1<<20 // the test itself needs some of it
	if n := reclaimable(); n < want {
		t.Errorf("before a collection, %d bytes are reclaimable, want %d at least", n, want)
	}
	runtime.GC()
	if n := reclaimable(); n < want {
		t.Errorf("after a collection, %d bytes are reclaimable, want %d at least", n, want)
	}
}

func TestStoppedTrimmerStaysStopped(t *testing.T) {
	trimmer := start(time.Hour)
	trimmer.stop()
	trimmer.collected()
	if trimmer.timer.Stop() {
		t.Error("a collection after the stop starts the timer")
	}
}
