package supervisor

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/world"
)

var (
	simSeeds = flag.Int("seeds", 200, "how many seeds TestSimulation runs")
	simFirst = flag.Uint64("first", 1, "the first seed of TestSimulation")
	simSeed  = flag.Uint64("seed", 0, "the one seed that TestSimulation runs, with its whole trace")
	simMost  = flag.Int64("failures", 11, "after how many seeds that fail TestSimulation ends")
)

// simulate runs the tree with one seed. printLine gets the trace; it may be nil.
func simulate(t *testing.T, seed uint64, printLine func(string)) (r world.Result) {
	tree := simTree{dir: sync.OnceValue(t.TempDir)}
	synctest.Test(t, func(*testing.T) { r = world.Run(seed, tree, printLine) })
	return r
}

func TestSimulation(t *testing.T) {
	if *simSeed != 0 {
		r := simulate(t, *simSeed, func(line string) { fmt.Fprintln(os.Stderr, line) })
		t.Log(r)
		if len(r.Violated) > 0 {
			t.Fatal(r.Report())
		}
		return
	}
	begun := time.Now()
	var next atomic.Uint64
	var failed, steps, mostDead atomic.Int64
	t.Run("seeds", func(t *testing.T) {
		for worker := range runtime.GOMAXPROCS(0) {
			t.Run(fmt.Sprint(worker), func(t *testing.T) {
				t.Parallel()
				for {
					n := next.Add(1) - 1
					if n >= uint64(*simSeeds) || failed.Load() >= *simMost {
						return
					}
					r := simulate(t, *simFirst+n, nil)
					steps.Add(int64(r.Steps))
					mostDead.Store(max(mostDead.Load(), int64(r.DeadLetters)))
					if len(r.Violated) > 0 {
						failed.Add(1)
						t.Error(r.Report())
					}
				}
			})
		}
	})
	took := time.Since(begun)
	t.Logf("at most %d dead letters", mostDead.Load())
	t.Logf("%d seeds in %s, %.0f seeds a second, %d messages", next.Load(), took, float64(next.Load())/took.Seconds(), steps.Load())
}

// A seed that failed must fail again.
func TestSimulationIsRepeatable(t *testing.T) {
	for seed := *simFirst; seed < *simFirst+uint64(min(*simSeeds, 20)); seed++ {
		first, second := simulate(t, seed, nil), simulate(t, seed, nil)
		if first.Hash != second.Hash {
			t.Errorf("seed %d: %d messages and then %d, in another order", seed, first.Steps, second.Steps)
		}
	}
}
