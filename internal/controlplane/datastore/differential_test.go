package datastore

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/hubtest"
)

var (
	differentialSeeds = flag.Int("seeds", 4, "seeds of TestDatastoreMatchesEtcd")
	differentialFirst = flag.Uint64("seed", 1, "first seed of TestDatastoreMatchesEtcd")
)

const (
	// differentialLength is how many operations a seed has.
	differentialLength = 100
	// Each longEvery-th seed has longLength operations, so that watches read history in
	// several parts.
	longEvery, longLength = 10, 1000
)

// A deviation is a deliberate difference from etcd. The operation then has to have another
// result than on etcd, which the test names.
type deviation int

const (
	// noDeviation is that of most operations.
	noDeviation deviation = iota
	// futureWatch: a watch from a future revision is refused, as kube-apiserver's watch
	// cache does. On etcd it waits for the revision, or fails by an event.
	futureWatch
	// progress: only a watch cache requests notifications of progress, and rdd has none.
	progress
	// leases: only objects that expire need leases, and the API server's events are kept
	// within the limits of a store in memory instead.
	leases
	// justCompacted: a watch from the revision before the compacted one misses no change, so
	// etcd accepts it. But it has no previous values, without which many events are errors.
	justCompacted
)

// operation is one step of a seed, which all backends make.
type operation struct {
	text string
	// run returns the result in a form without revisions, which differ.
	run func(ctx context.Context, b *backend) string
	// deviation is why the datastore's result is instead.
	deviation deviation
	instead   string
}

// differential compares stores with etcd under random operations.
type differential struct {
	t        *testing.T
	random   *rand.Rand
	backends []*backend // the first is etcd
	// compacted is the index of the compacted revision.
	compacted int
	watches   []watchRequest
	// counter makes UIDs and marks unique.
	counter int
	done    []string
}

// The datastore has the same results as etcd, up to absolute revisions, for random
// operations of the API server's storage and of etcd's client.
func TestDatastoreMatchesEtcd(t *testing.T) {
	endpoint := hubtest.StartEtcd(t)
	for i := range *differentialSeeds {
		seed := *differentialFirst + uint64(i)
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			d := &differential{t: t, random: rand.New(rand.NewPCG(seed, 0))}
			d.backends = []*backend{newEtcdBackend(t, endpoint, seed), newFileBackend(t), newMemoryBackend(t)}
			length := differentialLength
			if seed%longEvery == 0 {
				length = longLength
			}
			for range length {
				d.step()
			}
			d.settle()
		})
	}
}

// step makes a random operation.
func (d *differential) step() {
	switch n := d.random.IntN(100); {
	case n < 14:
		d.do(d.create())
	case n < 36:
		d.do(d.update())
	case n < 46:
		d.do(d.remove())
	case n < 52:
		d.do(d.get())
	case n < 68:
		d.do(d.list())
	case n < 82:
		d.do(d.rawOperation())
	case n < 92:
		d.startWatch()
	case n < 95:
		d.settle()
	case n < 96:
		d.stopWatches()
	case n < 97:
		d.reopen()
	case n < 98:
		d.do(d.unsupported())
	default:
		d.compact()
	}
}

// do makes an operation on all backends, and compares the results.
func (d *differential) do(op operation) {
	d.t.Helper()
	d.done = append(d.done, op.text)
	want := op.run(d.t.Context(), d.backends[0])
	for _, b := range d.backends[1:] {
		got := op.run(d.t.Context(), b)
		expected := want
		if op.deviation != noDeviation {
			expected = op.instead
		}
		if got != expected {
			d.t.Fatalf("%s has:\n%s\nwant:\n%s\netcd has:\n%s\n%s", b.name, got, expected, want, d.story())
		}
		if len(b.revisions) != len(d.backends[0].revisions) {
			d.t.Fatalf("%s has made %d changes, etcd %d\n%s", b.name, len(b.revisions), len(d.backends[0].revisions), d.story())
		}
	}
}

// story has the operations that were made.
func (d *differential) story() string {
	return fmt.Sprintf("after %d operations:\n%s", len(d.done), strings.Join(d.done, "\n"))
}

// pick returns a random element.
func pick[T any](d *differential, from ...T) T { return from[d.random.IntN(len(from))] }

func (d *differential) chance(percent int) bool { return d.random.IntN(100) < percent }

// next returns a number that was not returned before.
func (d *differential) next() int {
	d.counter++
	return d.counter
}

// last is the index of the latest revision.
func (d *differential) last() int { return len(d.backends[0].revisions) - 1 }

// compact removes history up to a random revision. The watches have received all changes
// before, since they may otherwise end with an error or not.
func (d *differential) compact() {
	if d.compacted >= d.last() {
		return
	}
	d.settle()
	index := d.compacted + 1 + d.random.IntN(d.last()-d.compacted)
	d.compacted = index
	d.do(operation{
		text: fmt.Sprintf("compact up to r%d", index),
		run: func(ctx context.Context, b *backend) string {
			return errorKind(b.compact(ctx, b.revisions[index]))
		},
	})
}

// reopen ends all watches, closes the store in the file and opens it again.
func (d *differential) reopen() {
	d.stopWatches()
	d.do(operation{text: "reopen", run: func(_ context.Context, b *backend) string {
		if b.reopen != nil {
			b.reopen()
		}
		return ""
	}})
}

// unsupported calls what the datastore leaves out.
func (d *differential) unsupported() operation {
	const refused = "Unimplemented"
	if d.chance(50) {
		return operation{
			text: "request progress", deviation: progress, instead: refused,
			run: func(ctx context.Context, b *backend) string {
				if b.name == etcdName {
					return "not called" // its bookmarks would be a difference
				}
				return errorKind(b.storage.RequestWatchProgress(ctx))
			},
		}
	}
	key := d.key()
	return operation{
		text: "create with a TTL " + key, deviation: leases, instead: refused,
		run: func(ctx context.Context, b *backend) string {
			if b.name == etcdName {
				return "not called" // its effect would be a difference
			}
			return errorKind(b.storage.Create(ctx, key, newPod(key, 0), nil, 1000))
		},
	}
}
