package controlplane

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// lateServer serves long after its start was cancelled.
type lateServer struct{ stopped chan struct{} }

func (s *lateServer) Done() <-chan struct{}      { return s.stopped }
func (s *lateServer) Err() error                 { return nil }
func (s *lateServer) Stop(context.Context) error { close(s.stopped); return nil }

func TestLateServerIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := &lateServer{stopped: make(chan struct{})}
		quiet := slog.New(slog.DiscardHandler)
		system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }))
		defer system.Shutdown()
		pid := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor {
			return New(Config[*lateServer]{
				Serve: func(context.Context) (*lateServer, error) {
					time.Sleep(2 * closeTimeout)
					return late, nil
				},
				Serving: func(*lateServer) error { return nil },
				Logger:  quiet, Report: func(string) {},
			})
		}))
		synctest.Wait()
		start := time.Now()
		if err := system.Root.StopFuture(pid).Wait(); err == nil && time.Since(start) < closeTimeout {
			t.Error("the actor did not wait for its server")
		}
		select {
		case <-late.stopped:
		case <-time.After(10 * closeTimeout):
			t.Error("a server that started after the end of its actor keeps running")
		}
	})
}
