package mirror

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// longStop is an engine whose container takes five minutes to stop.
type longStop struct {
	engine.Engine
	stops, cut, removals atomic.Int32
}

func (e *longStop) Do(ctx context.Context, _ engine.Key, verb engine.Verb) error {
	if verb == engine.VerbRemove {
		e.removals.Add(1)
		return nil
	}
	e.stops.Add(1)
	select {
	case <-time.After(5 * time.Minute):
		return nil
	case <-ctx.Done():
		e.cut.Add(1)
		return ctx.Err()
	}
}

func (e *longStop) Get(context.Context, engine.Key) (containersv1.Mirror, error) {
	c := engineContainer(containersv1.ContainerExited)
	c.Name = "c1"
	return c, nil
}

// stopLong runs a mirror whose desired state stops the container.
func stopLong(t *testing.T) (e *longStop, writer *slowWriter, send func(any)) {
	t.Helper()
	e = &longStop{}
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}))
	stored := withUID(resource(wants(containersv1.StateCreated)), "u1", "5")
	writer = &slowWriter{calls: make(chan string, 100), answer: make(chan error, 1), away: new(bool), stored: stored}
	cfg := Config{
		Kind: containersv1.KindContainer, Name: "c1", Namespace: "ns", Kube: writer, Engine: e,
		Logger: slog.New(slog.DiscardHandler), Report: func(string) {},
	}
	var pid *actor.PID
	parent := system.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
		if _, ok := c.Message().(*actor.Started); ok {
			pid = c.Spawn(actor.PropsFromProducer(func() actor.Actor { return New(cfg) }))
		}
	}))
	synctest.Wait()
	t.Cleanup(func() {
		if err := system.Root.StopFuture(parent).Wait(); err != nil {
			t.Error(err)
		}
		system.Shutdown()
		close(writer.answer)
	})
	send = func(msg any) {
		if changed, ok := msg.(messages.MirrorChanged); ok {
			writer.stored = changed.Object.(*containersv1.Container)
		}
		system.Root.Send(pid, msg)
		synctest.Wait()
	}
	send(messages.MirrorChanged{Object: stored})
	send(messages.ObjectSeen{Object: engineContainer(containersv1.ContainerRunning), AsOf: time.Now()})
	return e, writer, send
}

// Row F9: the mirror makes one stop, and has no deadline of its own for it.
func TestStopTakesAsLongAsContainer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, _, _ := stopLong(t)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if stops, cut := e.stops.Load(), e.cut.Load(); stops != 1 || cut != 0 {
			t.Errorf("%d stops, of which %d were cancelled; want one that is not", stops, cut)
		}
	})
}

// The deletion of a container kills it.
func TestDeleteDoesNotWaitForStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, writer, send := stopLong(t)
		deleted := withUID(resource(wants(containersv1.StateCreated)), "u1", "6")
		deleted.DeletionTimestamp = &metav1.Time{Time: time.Now()}
		deleted.Finalizers = []string{containersv1.Finalizer}
		send(messages.MirrorChanged{Object: deleted})
		for range 50 {
			time.Sleep(200 * time.Millisecond)
			select {
			case writer.answer <- nil:
			default:
			}
			synctest.Wait()
		}
		if stops, removals := e.stops.Load(), e.removals.Load(); stops != 1 || removals == 0 {
			t.Errorf("%d stops, %d cancelled, and %d removals; %d writes", stops, e.cut.Load(), removals, len(writer.calls))
		}
	})
}
