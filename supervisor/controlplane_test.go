package supervisor

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// lateServer serves long after it was told to give up.
type lateServer struct{ stopped chan struct{} }

func (s *lateServer) API() (api, error)          { return nil, nil }
func (s *lateServer) Done() <-chan struct{}      { return s.stopped }
func (s *lateServer) Err() error                 { return nil }
func (s *lateServer) Stop(context.Context) error { close(s.stopped); return nil }

func TestAServerThatComesTooLateIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := &lateServer{stopped: make(chan struct{})}
		serve := func(context.Context) (server, error) {
			time.Sleep(2 * closeTimeout)
			return late, nil
		}
		quiet := slog.New(slog.DiscardHandler)
		system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }))
		defer system.Shutdown()
		pid := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor {
			return newControlPlane(serve, quiet, func(string) {})
		}))
		synctest.Wait()
		start := time.Now()
		if err := system.Root.StopFuture(pid).Wait(); err == nil && time.Since(start) < closeTimeout {
			t.Error("the actor did not wait for its server")
		}
		select {
		case <-late.stopped:
		case <-time.After(10 * closeTimeout):
			t.Error("a server that came after its actor had ended goes on")
		}
	})
}
