package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// openEngine asks the supervisor for the engine, as an API handler does.
func (w *world) openEngine(t *testing.T) messages.EngineOpened {
	t.Helper()
	answer, err := w.system.Root.RequestFuture(w.pid, messages.OpenEngine{}, 5*time.Second).Result()
	if err != nil {
		t.Fatal(err)
	}
	return answer.(messages.EngineOpened)
}

// refusesToOpen checks that there is no engine, and that the error names the cause and
// the next step.
func (w *world) refusesToOpen(t *testing.T, words ...string) {
	t.Helper()
	opened := w.openEngine(t)
	if opened.Engine != nil || opened.Err == nil {
		t.Fatalf("opened %+v without a connection", opened)
	}
	for _, word := range words {
		if !strings.Contains(opened.Err.Error(), word) {
			t.Errorf("the error %q lacks %q", opened.Err, word)
		}
	}
}

// isConnected checks that the connection of an opened engine has not ended.
func isConnected(t *testing.T, opened messages.EngineOpened) {
	t.Helper()
	if opened.Lost == nil || opened.Lost.Err() != nil {
		t.Fatalf("the connection of a connected engine is %v", opened.Lost)
	}
}

// isLost checks that the connection of an opened engine has ended, and why. What uses a
// frozen engine has no other sign.
func isLost(t *testing.T, opened messages.EngineOpened, why string) {
	t.Helper()
	if cause := context.Cause(opened.Lost); !engine.IsUnreachable(cause) || !strings.Contains(cause.Error(), why) {
		t.Errorf("the connection has ended with %v, want %q", cause, why)
	}
}

func TestOpenEngineNeedsAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.refusesToOpen(t, "starting", "retry")

		w.engine.up.Store(false)
		w.send(connectTo(1))
		synctest.Wait()
		w.refusesToOpen(t, "connection refused", "rdd status")

		w.engine.up.Store(true)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		opened := w.openEngine(t)
		if opened.Engine != w.engine || opened.Err != nil || opened.Namespace != "ns" {
			t.Errorf("opened %+v of a connected engine", opened)
		}
		isConnected(t, opened)

		w.engine.up.Store(false)
		w.engine.broken <- errors.New("connection reset by dockerd")
		synctest.Wait()
		w.refusesToOpen(t, "connection reset by dockerd", "rdd status")
		isLost(t, opened, "connection reset by dockerd")

		w.engine.up.Store(true)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		isLost(t, opened, "connection reset by dockerd")
		opened = w.openEngine(t)
		isConnected(t, opened)

		w.send(messages.DisconnectEngine{Seq: 2})
		synctest.Wait()
		w.refusesToOpen(t, "none is running", "rdd start")
		isLost(t, opened, "rdd ends its connection")
	})
}

// Each endpoint of a row fails to open: the retries of the former ones end.
func TestChangedEndpointRetriesOnce(t *testing.T) {
	for name, fail := range map[string]func(*world, func() error){
		"namespace": func(w *world, attempt func() error) { w.ensureNamespace = attempt },
		"endpoint": func(w *world, attempt func() error) {
			w.dial = func(string) (engine.Engine, error) { return nil, attempt() }
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				var attempts atomic.Int32
				fail(w, func() error {
					attempts.Add(1)
					return errors.New("no quota")
				})
				for seq := range uint64(10) {
					w.send(messages.ConnectEngine{Seq: seq + 1, Endpoint: fmt.Sprintf("unix:///sock%d", seq), Namespace: "ns"})
					synctest.Wait()
				}
				time.Sleep(time.Minute)
				attempts.Store(0)
				time.Sleep(10 * time.Minute)
				if n := attempts.Load(); n < 60 || n > 121 {
					t.Errorf("%d attempts in 10 minutes, want pauses of 5 to 10 s", n)
				}
			})
		})
	}
}
