package task

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// worker runs the functions that it receives as tasks, and records the results.
type worker struct {
	tasks *Runner
	log   *record
}

type record struct {
	mu       sync.Mutex
	results  []any
	starts   int
	failures []any
}

func (r *record) note(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

func (w *worker) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		w.tasks = NewRunner(c)
		w.log.note(func() { w.log.starts++ })
	case *actor.Stopping, *actor.Restarting:
		w.tasks.Stop()
	case func(context.Context) any:
		w.tasks.Go(time.Minute, m)
	case error:
		panic(m)
	case Done:
		if v, ok := w.tasks.Take(m); ok {
			w.log.note(func() { w.log.results = append(w.log.results, v) })
		}
	}
}

// start spawns a worker that restarts when it fails. The record has the failures.
func start(t *testing.T) (*actor.ActorSystem, *actor.PID, *record) {
	log := &record{}
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}))
	strategy := actor.NewOneForOneStrategy(10, time.Minute, func(reason any) actor.Directive {
		log.note(func() { log.failures = append(log.failures, reason) })
		return actor.RestartDirective
	})
	pid := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return &worker{log: log} },
		actor.WithGuardian(strategy)))
	t.Cleanup(func() {
		if err := system.Root.StopFuture(pid).Wait(); err != nil {
			t.Error(err)
		}
		system.Shutdown()
	})
	return system, pid, log
}

func TestPanicInTaskFailsActor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system, pid, log := start(t)
		system.Root.Send(pid, func(context.Context) any { panic("boom") })
		synctest.Wait()
		log.note(func() {
			if len(log.failures) != 1 || !strings.Contains(log.failures[0].(error).Error(), "boom") || log.starts != 2 {
				t.Errorf("failures %v, starts %d; want one failure and a restart", log.failures, log.starts)
			}
		})
	})
}

func TestResultOfFormerIncarnationIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system, pid, log := start(t)
		system.Root.Send(pid, func(context.Context) any { time.Sleep(time.Second); return "former" })
		system.Root.Send(pid, errors.New("fail"))
		system.Root.Send(pid, func(context.Context) any { time.Sleep(time.Second); return "present" })
		time.Sleep(time.Minute)
		synctest.Wait()
		log.note(func() {
			if len(log.results) != 1 || log.results[0] != "present" {
				t.Errorf("results %v, want only that of the present incarnation", log.results)
			}
		})
	})
}

func TestTaskHasDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system, pid, log := start(t)
		began := time.Now()
		system.Root.Send(pid, func(ctx context.Context) any { <-ctx.Done(); return time.Since(began) })
		time.Sleep(time.Hour)
		synctest.Wait()
		log.note(func() {
			if len(log.results) != 1 || log.results[0] != time.Minute {
				t.Errorf("results %v, want the deadline of a minute", log.results)
			}
		})
	})
}
