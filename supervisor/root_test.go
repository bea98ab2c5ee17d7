package supervisor

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// The stop of an engine can take as long as its containers do. The wait for a driver
// whose call never returns is bounded, and the log names what is left.
func TestDrainIsBounded(t *testing.T) {
	cleaning := messages.Draining{Left: "the mirrors are Cleaning"}
	for name, tc := range map[string]struct {
		drain messages.Draining
		// cleansAfter is when the engine has stopped and its mirrors are left; 0 for never.
		cleansAfter time.Duration
		ends        time.Duration
	}{
		"a driver stops the engine": {messages.Draining{EngineStopping: true, Left: "the engine is Stopping"}, 0, drainLimit},
		"nothing happens":           {cleaning, 0, drainTimeout},
		"the engine stops late":     {messages.Draining{EngineStopping: true, Left: "the engine is Stopping"}, drainTimeout - time.Second, 2*drainTimeout - time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
					return slog.New(slog.DiscardHandler)
				}))
				defer system.Shutdown()
				app := system.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
					if _, ok := c.Message().(messages.Drain); ok {
						c.Send(c.Sender(), tc.drain)
					}
				}))
				var log bytes.Buffer
				ended := make(chan struct{})
				b := blueprint{
					serve: func(ctx context.Context) (server, error) {
						<-ctx.Done()
						return nil, ctx.Err()
					},
					logger: slog.New(slog.NewTextHandler(&log, nil)), picture: NewPicture(),
					ready: func(bool) {}, ended: func() { close(ended) },
				}
				pid := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor {
					return &root{blueprint: b, report: func(string) {}, app: app}
				}))
				begun := time.Now()
				system.Root.Send(pid, messages.Shutdown{})
				left := tc.drain.Left
				if tc.cleansAfter > 0 {
					left = cleaning.Left
					time.AfterFunc(tc.cleansAfter, func() { system.Root.Send(pid, cleaning) })
				}
				select {
				case <-ended:
				case <-time.After(24 * time.Hour):
					t.Error("the drain does not end")
					_ = system.Root.StopFuture(pid).Wait()
				}
				if took := time.Since(begun); took < tc.ends || took > tc.ends+drainTimeout {
					t.Errorf("ended after %s, want about %s", took, tc.ends)
				}
				if !strings.Contains(log.String(), left) {
					t.Errorf("the log does not name what is left: %s", log.String())
				}
				_ = system.Root.StopFuture(app).Wait()
				// The throttle of dead letters has a timer that ends on its own.
				time.Sleep(time.Minute)
			})
		})
	}
}
