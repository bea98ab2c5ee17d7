package schedule

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
)

// script is a tree of actors that append what they handle, and its observer.
type script struct {
	handled, failed []string
}

func (s *script) Role(actor string) string    { return strings.TrimRight(actor, "0123456789") }
func (s *script) Describe(message any) string { return fmt.Sprint(message) }
func (s *script) Created(string)              {}
func (s *script) Posted(string, any)          {}
func (s *script) Failed(actor, reason string) { s.failed = append(s.failed, actor+": "+reason) }

// scripted is one actor of a script.
type scripted struct {
	*script
	name string
}

func (a scripted) Handle(message any, _ bool) {
	if message == "panic" {
		panic(errors.New("a line\nand more"))
	}
	a.handled = append(a.handled, fmt.Sprint(a.name, " ", message))
}

func (a scripted) Fail(_, message any) {
	a.handled = append(a.handled, fmt.Sprint(a.name, " failed in ", message))
}

// play posts messages to the mailboxes of actors and handles all of them.
func play(t *testing.T, seed uint64, post func(s *Scheduler, mailboxes []*Mailbox), actors ...string) (out *script, hash uint64) {
	t.Helper()
	out = &script{}
	synctest.Test(t, func(*testing.T) {
		trace := NewTrace(nil)
		s := New(fate.New(seed), trace, out, out)
		var mailboxes []*Mailbox
		for _, name := range actors {
			m := s.Mailbox(name)
			m.Attach(scripted{out, name})
			mailboxes = append(mailboxes, m)
		}
		post(s, mailboxes)
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			s.Run(stop)
		}()
		time.Sleep(time.Minute)
		close(stop)
		<-stopped
		hash = trace.Hash()
	})
	return out, hash
}

func TestSeedDecidesOrder(t *testing.T) {
	post := func(_ *Scheduler, mailboxes []*Mailbox) {
		for i := range 10 {
			for _, m := range mailboxes {
				m.Post(i)
			}
		}
	}
	first, hash := play(t, 1, post, "a", "b", "c")
	again, hashAgain := play(t, 1, post, "a", "b", "c")
	other, hashOther := play(t, 2, post, "a", "b", "c")
	if !slices.Equal(first.handled, again.handled) || hash != hashAgain {
		t.Errorf("one seed has two orders: %v and %v", first.handled, again.handled)
	}
	if slices.Equal(first.handled, other.handled) || hash == hashOther {
		t.Errorf("two seeds have one order: %v", first.handled)
	}
	for _, name := range []string{"a", "b", "c"} {
		var own []string
		for _, h := range first.handled {
			if strings.HasPrefix(h, name) {
				own = append(own, h)
			}
		}
		if !slices.IsSorted(own) || len(own) != 10 {
			t.Errorf("the messages of one mailbox are not in order: %v", own)
		}
	}
}

func TestSuspendedMailboxKeepsUserMessages(t *testing.T) {
	out, _ := play(t, 1, func(_ *Scheduler, mailboxes []*Mailbox) {
		m := mailboxes[0]
		m.Post("one")
		m.PostSuspend("suspend")
		m.PostSystem("system")
		if m.Len() != 1 {
			t.Errorf("%d user messages wait, want 1", m.Len())
		}
	}, "a")
	if want := []string{"a system"}; !slices.Equal(out.handled, want) {
		t.Errorf("handled %v, want %v", out.handled, want)
	}
	out, _ = play(t, 1, func(_ *Scheduler, mailboxes []*Mailbox) {
		mailboxes[0].Post("one")
		mailboxes[0].PostSuspend("suspend")
		mailboxes[0].PostResume("resume")
	}, "a")
	if want := []string{"a one"}; !slices.Equal(out.handled, want) {
		t.Errorf("handled %v, want %v", out.handled, want)
	}
}

func TestPanicFailsActor(t *testing.T) {
	out, _ := play(t, 1, func(_ *Scheduler, mailboxes []*Mailbox) {
		mailboxes[0].Post("panic")
		mailboxes[0].Post("next")
	}, "a")
	if want := []string{"a failed in panic", "a next"}; !slices.Equal(out.handled, want) {
		t.Errorf("handled %v, want %v", out.handled, want)
	}
	if want := []string{"a: a line"}; !slices.Equal(out.failed, want) {
		t.Errorf("observed %v, want %v", out.failed, want)
	}
}

func TestCrashHitsNextMessageOfRole(t *testing.T) {
	before, after := 0, 0
	for seed := range uint64(20) {
		out, _ := play(t, seed, func(s *Scheduler, mailboxes []*Mailbox) {
			s.Crash("mirror")
			for _, m := range mailboxes {
				m.Post("one")
			}
		}, "mirror1", "mirror2", "app")
		if len(out.failed) != 1 || !strings.Contains(out.failed[0], SimulatedBug) || strings.HasPrefix(out.failed[0], "app") {
			t.Fatalf("failures %v, want one of a mirror", out.failed)
		}
		name, _, _ := strings.Cut(out.failed[0], ":")
		if slices.Contains(out.handled, name+" one") {
			after++
		} else {
			before++
		}
	}
	if before == 0 || after == 0 {
		t.Errorf("%d actors failed before the message and %d after it, want some of both", before, after)
	}
}

func TestCalmCancelsCrashes(t *testing.T) {
	out, _ := play(t, 1, func(s *Scheduler, mailboxes []*Mailbox) {
		s.Crash("app")
		s.Calm()
		mailboxes[0].Post("one")
	}, "app")
	if len(out.failed) > 0 || len(out.handled) != 1 {
		t.Errorf("handled %v, failures %v", out.handled, out.failed)
	}
}

func TestHeldActorsWait(t *testing.T) {
	for name, release := range map[string]bool{"held": false, "released": true} {
		t.Run(name, func(t *testing.T) {
			out, _ := play(t, 1, func(s *Scheduler, mailboxes []*Mailbox) {
				mailboxes[0].Post("before")
				s.Hold("hub")
				for _, m := range mailboxes {
					m.Post("after")
				}
				if release {
					s.Release()
				}
			}, "hub1", "app1")
			want := []string{"app1 after"}
			if release {
				want = []string{"app1 after", "hub1 after", "hub1 before"}
			}
			if slices.Sort(out.handled); !slices.Equal(out.handled, want) {
				t.Errorf("%q, want %q", out.handled, want)
			}
		})
	}
}
