package bench_test

import (
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/mirror"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
	"github.com/rancher-sandbox/rancher-desktop-daemon/supervisor"
)

const (
	// actors is the number of mirrors of the tree.
	actors = 100_000
	// messagesPerRun is the number of messages of one operation.
	messagesPerRun = 1_000_000
)

// actorTree has mirror actors as a daemon creates them, in the live picture of the
// tree, without an engine and an API server.
type actorTree struct {
	system  *actor.ActorSystem
	picture *supervisor.Picture
	// steps counts the handled messages.
	steps atomic.Int64
	pids  []*actor.PID
}

func newActorTree(b *testing.B) *actorTree {
	b.Helper()
	quiet := slog.New(slog.DiscardHandler)
	f := &actorTree{
		system: actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }),
			actor.WithDeadLetterRequestLogging(false)),
		picture: supervisor.NewPicture(),
	}
	b.Cleanup(f.system.Shutdown)
	return f
}

// spawn starts mirrors and returns when each has handled its first message.
func (f *actorTree) spawn(b *testing.B, count int) {
	b.Helper()
	for i := range count {
		name := fmt.Sprintf("root/engine/container/%064d", i)
		props := f.picture.Props(name, func(report func(string)) actor.Actor {
			return mirror.New(mirror.Config{
				Kind: containersv1.KindContainer, Name: name, Namespace: "n", Logger: slog.New(slog.DiscardHandler),
				Report: func(state string) {
					report(state)
					f.steps.Add(1)
				},
			})
		})
		pid, err := f.system.Root.SpawnNamed(props, name)
		if err != nil {
			b.Fatal(err)
		}
		f.pids = append(f.pids, pid)
	}
	f.send(b, count)
}

// send sends messages to all mirrors in turn, and returns when they are handled. A
// mirror without an object has nothing to do.
func (f *actorTree) send(b *testing.B, count int) {
	b.Helper()
	done := f.steps.Load() + int64(count)
	for i := range count {
		f.system.Root.Send(f.pids[i%len(f.pids)], messages.RetryNow{})
	}
	testkit.Eventually(b, timeout, "the messages to be handled", func() error {
		if left := done - f.steps.Load(); left > 0 {
			return fmt.Errorf("%d are left", left)
		}
		return nil
	})
}

// stop ends every mirror and waits for that.
func (f *actorTree) stop(b *testing.B) {
	b.Helper()
	var ended sync.WaitGroup
	for _, pid := range f.pids {
		future := f.system.Root.StopFuture(pid)
		ended.Go(func() { _ = future.Wait() })
	}
	ended.Wait()
	f.pids = nil
}

// BenchmarkTreeStart starts 100,000 mirror actors, and reports the time and the live
// memory of one: the actor, its mailbox, its name, and its entry in the picture of the
// tree.
func BenchmarkTreeStart(b *testing.B) {
	var took time.Duration
	var bytes uint64
	for b.Loop() {
		b.StopTimer()
		f := newActorTree(b)
		before := liveHeap()
		b.StartTimer()
		began := time.Now()
		f.spawn(b, actors)
		took += time.Since(began)
		b.StopTimer()
		bytes += liveHeap() - before
		runtime.KeepAlive(f)
		f.stop(b)
		b.StartTimer()
	}
	count := float64(b.N) * actors
	b.ReportMetric(ms(took)/float64(b.N), "ms/start")
	b.ReportMetric(float64(took.Nanoseconds())/count, "ns/actor")
	b.ReportMetric(float64(bytes)/count, "live-B/actor")
}

// BenchmarkTreeMessages sends to one mirror, and to 100,000 in turn.
func BenchmarkTreeMessages(b *testing.B) {
	for _, count := range []int{1, actors} {
		b.Run(fmt.Sprintf("actors=%d", count), func(b *testing.B) {
			f := newActorTree(b)
			f.spawn(b, count)
			var took time.Duration
			for b.Loop() {
				began := time.Now()
				f.send(b, messagesPerRun)
				took += time.Since(began)
			}
			b.ReportMetric(messagesPerRun*float64(b.N)/took.Seconds(), "messages/s")
			b.StopTimer()
			f.stop(b)
		})
	}
}

// liveHeap returns the bytes of reachable objects.
func liveHeap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
