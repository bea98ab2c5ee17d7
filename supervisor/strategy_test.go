package supervisor

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// crashing is a parent whose child fails whenever it starts.
type crashing struct {
	picture *Picture
	reports *[]messages.ChildFailed
	starts  *[]time.Time
	ended   *bool
}

func (p crashing) Receive(c actor.Context) {
	switch msg := c.Message().(type) {
	case *actor.Started:
		props := p.picture.Props("parent/child", func(func(string)) actor.Actor {
			return actor.ReceiveFunc(func(c actor.Context) {
				if _, ok := c.Message().(*actor.Started); ok {
					*p.starts = append(*p.starts, time.Now())
					panic(errors.New("boom"))
				}
			})
		})
		if _, err := c.SpawnNamed(props, "child"); err != nil {
			panic(err)
		}
	case messages.ChildFailed:
		*p.reports = append(*p.reports, msg)
	case *actor.Terminated:
		*p.ended = true
	}
}

func TestStrategyBacksOffAndGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := Policy{
			Backoff:   async.Backoff{Min: time.Second, Max: 8 * time.Second},
			Intensity: 6, Window: time.Hour,
		}
		var reports []messages.ChildFailed
		var starts []time.Time
		var ended bool
		picture := NewPicture()
		system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
			return slog.New(slog.DiscardHandler)
		}))
		props := actor.PropsFromProducer(func() actor.Actor {
			return crashing{picture, &reports, &starts, &ended}
		}, actor.WithSupervisor(newStrategy(picture, func(string) Policy { return policy })))
		pid, err := system.Root.SpawnNamed(props, "parent")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()

		if len(starts) != 1+policy.Intensity {
			t.Fatalf("the child started %d times, want once and %d restarts", len(starts), policy.Intensity)
		}
		if !ended || !reports[len(reports)-1].GaveUp {
			t.Errorf("the parent got no report that its child ended: ended %v, last %+v", ended, reports[len(reports)-1])
		}
		exponential := time.Second
		for i := 1; i < len(starts); i++ {
			if d := starts[i].Sub(starts[i-1]); d < exponential/2 || d > exponential {
				t.Errorf("restart %d came after %v, want between %v and %v", i, d, exponential/2, exponential)
			}
			exponential = min(2*exponential, policy.Backoff.Max)
		}
		if nodes := picture.Nodes(); len(nodes) != 0 {
			t.Errorf("the picture still shows %+v", nodes)
		}
		_ = system.Root.StopFuture(pid).Wait()
		system.Shutdown()
	})
}

func TestIntensityForgetsOldFailures(t *testing.T) {
	s := newStrategy(NewPicture(), func(string) Policy {
		return Policy{Backoff: async.Backoff{Min: time.Second, Max: time.Minute}, Intensity: 2, Window: time.Minute}
	})
	at := time.Unix(0, 0)
	for i := range 10 {
		if f := s.record("child", at); f.GaveUp {
			t.Fatalf("gave up at failure %d although failures are rare", i+1)
		}
		at = at.Add(40 * time.Second)
	}
	s.record("child", at)
	if f := s.record("child", at); !f.GaveUp {
		t.Error("did not give up although failures are frequent")
	}
}

// replacing is a parent that replaces a child that failed by another actor of its
// name.
type replacing struct {
	picture *Picture
	starts  *int
}

func (p replacing) spawn(c actor.Context) {
	props := p.picture.Props("parent/child", func(func(string)) actor.Actor {
		return actor.ReceiveFunc(func(c actor.Context) {
			switch c.Message().(type) {
			case *actor.Started:
				*p.starts++
			case string:
				panic(errors.New("boom"))
			}
		})
	})
	if _, err := c.SpawnNamed(props, "child"); err != nil {
		panic(err)
	}
}

func (p replacing) Receive(c actor.Context) {
	switch msg := c.Message().(type) {
	case *actor.Started:
		p.spawn(c)
	case string:
		c.Send(c.Children()[0], msg)
	case messages.ChildFailed:
		c.Stop(c.Children()[0])
	case *actor.Terminated:
		if *p.starts == 1 {
			p.spawn(c)
		}
	}
}

func TestRestartSparesReplacement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := Policy{Backoff: async.Backoff{Min: time.Second, Max: time.Second}, Intensity: 6, Window: time.Hour}
		picture, starts := NewPicture(), 0
		system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
			return slog.New(slog.DiscardHandler)
		}))
		defer system.Shutdown()
		parent := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return replacing{picture, &starts} },
			actor.WithSupervisor(newStrategy(picture, func(string) Policy { return policy }))))
		system.Root.Send(parent, "fail")
		time.Sleep(time.Minute)
		synctest.Wait()
		if starts != 2 {
			t.Errorf("%d starts, want those of the first child and of its replacement", starts)
		}
		if err := system.Root.StopFuture(parent).Wait(); err != nil {
			t.Error(err)
		}
	})
}

// lingering returns an actor whose child takes a second to stop. It fails in the
// messages that failIn selects.
func lingering(failIn func(message any) bool) actor.Actor {
	return actor.ReceiveFunc(func(c actor.Context) {
		if _, ok := c.Message().(*actor.Started); ok {
			c.Spawn(actor.PropsFromFunc(func(c actor.Context) {
				if _, ok := c.Message().(*actor.Stopping); ok {
					time.Sleep(time.Second)
				}
			}))
		}
		if failIn(c.Message()) {
			panic(errors.New("boom"))
		}
	})
}

func TestStopIsFinal(t *testing.T) {
	isWord := func(m any) bool { _, ok := m.(string); return ok }
	tests := map[string]func(message any) bool{
		"a restart is due":                     isWord,
		"fails at its stop":                    func(m any) bool { _, ok := m.(*actor.Stopping); return ok || isWord(m) },
		"fails at its child's end":             func(m any) bool { _, ok := m.(*actor.Terminated); return ok },
		"fails after it has stopped":           func(m any) bool { _, ok := m.(*actor.Stopped); return ok },
		"fails at every message but the first": func(m any) bool { _, ok := m.(*actor.Started); return !ok },
	}
	for name, failIn := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				policy := Policy{
					Backoff:   async.Backoff{Min: 500 * time.Millisecond, Max: 500 * time.Millisecond},
					Intensity: 6, Window: time.Hour,
				}
				picture, starts := NewPicture(), 0
				system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
					return slog.New(slog.DiscardHandler)
				}))
				defer system.Shutdown()
				props := picture.Props("child", func(func(string)) actor.Actor {
					starts++
					return lingering(failIn)
				}, actor.WithGuardian(newStrategy(picture, func(string) Policy { return policy })))
				child := system.Root.Spawn(props)
				system.Root.Send(child, "fail")
				synctest.Wait()
				if err := system.Root.StopFuture(child).Wait(); err != nil {
					t.Error("a stopped child did not end:", err)
				}
				time.Sleep(time.Minute)
				if starts != 1 {
					t.Errorf("%d starts: a restart cancelled the stop", starts)
				}
				if nodes := picture.Nodes(); len(nodes) != 0 {
					t.Errorf("the picture still shows %+v", nodes)
				}
			})
		})
	}
}

func TestStrategyDropsOldFailures(t *testing.T) {
	s := newStrategy(NewPicture(), func(string) Policy { return Policy{Intensity: 2, Window: time.Minute} })
	at := time.Unix(0, 0)
	for i := range 1000 {
		s.record(fmt.Sprint("container/", i), at)
		at = at.Add(time.Second)
	}
	if n := len(s.failures); n > 61 {
		t.Errorf("the strategy keeps the failures of %d children; 61 at most failed within the window", n)
	}
}
