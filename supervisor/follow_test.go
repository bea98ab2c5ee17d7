package supervisor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// fixedMailbox is a mailbox in which a number of messages wait.
type fixedMailbox struct {
	actor.Mailbox
	count, readings atomic.Int64
}

func (m *fixedMailbox) UserMessageCount() int {
	m.readings.Add(1)
	return int(m.count.Load())
}

// followed is a follower and what it has received.
type followed struct {
	picture *Picture
	err     error
	// returned is the number of events that after has returned.
	returned int

	mu     sync.Mutex
	events []TreeEvent
	at     []time.Time
}

func follow(t *testing.T) *followed {
	t.Helper()
	f := &followed{picture: NewPicture()}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.err = f.picture.Follow(ctx, func(event TreeEvent) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.events, f.at = append(f.events, event), append(f.at, time.Now())
			return nil
		})
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		if !errors.Is(f.err, context.Canceled) {
			t.Errorf("Follow = %v", f.err)
		}
	})
	return f
}

// after lets time pass and returns the events since the call before.
func (f *followed) after(d time.Duration) []TreeEvent {
	time.Sleep(d)
	synctest.Wait()
	all, _ := f.received()
	begin := f.returned
	f.returned = len(all)
	return all[begin:]
}

func (f *followed) received() ([]TreeEvent, []time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.events), slices.Clone(f.at)
}

func TestFollowSendsChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := follow(t)
		if got := f.after(time.Second); len(got) != 1 || got[0].Type != TreeSnapshot {
			t.Fatalf("the first events are %+v", got)
		}
		f.picture.spawned("root", nil)
		f.picture.spawned("root/a", nil)
		if got := f.after(1); len(got) != 1 || got[0].Type != TreeChanged || len(got[0].Nodes) == 0 {
			t.Errorf("after a start: %+v", got)
		}
		f.after(time.Second)
		f.picture.fail("root/a", messages.ChildFailed{Name: "root/a", Err: errors.New("broken")})
		if got := f.after(time.Second); len(got) != 1 || len(got[0].Nodes) != 1 || got[0].Nodes[0].Restarts != 1 ||
			len(got[0].Failures) != 1 || got[0].Failures[0].Error != "broken" {
			t.Errorf("after a failure: %+v", got)
		}
		f.picture.state("root/a", "failed") // no change
		if got := f.after(time.Minute); len(got) != 0 {
			t.Errorf("without a change: %+v", got)
		}
		f.picture.gone("root/a")
		if got := f.after(time.Second); len(got) != 1 || len(got[0].Nodes) != 0 || len(got[0].Gone) != 1 || got[0].Gone[0] != "root/a" {
			t.Errorf("after an end: %+v", got)
		}
	})
}

func TestFollowHasLeastPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := follow(t)
		f.after(time.Second)
		f.picture.spawned("root", nil)
		for range 100 {
			time.Sleep(10 * time.Millisecond)
			f.picture.state("root", time.Now().String())
		}
		f.after(time.Second)
		events, at := f.received()
		for i := range at[1:] {
			if pause := at[i+1].Sub(at[i]); pause < followPause {
				t.Errorf("two events within %s", pause)
			}
		}
		if last := events[len(events)-1].Nodes[0].State; last != f.picture.Nodes()[0].State {
			t.Errorf("the last state is %q", last)
		}
	})
}

// A tree at rest is not read; only its mailboxes are, every two seconds.
func TestFollowNoticesMailboxes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mailbox := &fixedMailbox{}
		f := follow(t)
		f.picture.spawned("root", mailbox)
		f.after(time.Second)
		begin := mailbox.readings.Load()
		if got := f.after(time.Minute); len(got) != 0 {
			t.Errorf("at rest: %+v", got)
		}
		if readings := mailbox.readings.Load() - begin; readings > int64(time.Minute/mailboxInterval)+1 {
			t.Errorf("the mailbox was read %d times in a minute", readings)
		}
		mailbox.count.Store(7)
		if got := f.after(2 * mailboxInterval); len(got) != 1 || got[0].Nodes[0].Mailbox != 7 {
			t.Errorf("with messages: %+v", got)
		}
		mailbox.count.Store(0)
		if got := f.after(2 * mailboxInterval); len(got) != 1 || got[0].Nodes[0].Mailbox != 0 {
			t.Errorf("without messages: %+v", got)
		}
	})
}

func TestRecentFailuresAreLimited(t *testing.T) {
	p := NewPicture()
	for range 3 * maxRecent {
		p.fail("root/a", messages.ChildFailed{Name: "root/a", Err: errors.New("x")})
	}
	p.fail("root/a", messages.ChildFailed{Name: "root/a", Err: errors.New("last"), GaveUp: true})
	failures := p.Tree().Failures
	if last := failures[len(failures)-1]; len(failures) != maxRecent || last.Error != "last" || !last.GaveUp {
		t.Errorf("%d failures, the last one is %+v", len(failures), last)
	}
	if recent := p.failuresSince(3 * maxRecent); len(recent) != 1 || p.failed != 3*maxRecent+1 {
		t.Errorf("%d new failures of %d", len(recent), p.failed)
	}
}

// crowd returns the picture of a tree with many actors, and a mailbox that all of them share.
func crowd(actors int) (*Picture, *fixedMailbox) {
	p, mailbox := NewPicture(), &fixedMailbox{}
	for i := range actors {
		p.spawned(fmt.Sprintf("root/engine/container/%d", i), mailbox)
	}
	return p, mailbox
}

// A change of one actor reads none of the others.
func TestFollowCostIsThatOfTheChange(t *testing.T) {
	p, mailbox := crowd(10_000)
	f := newFollower(p)
	p.add(f)
	f.snapshot()
	begin := mailbox.readings.Load()
	for i := range 100 {
		p.state("root/engine/container/7", strconv.Itoa(i))
		if event, isNews := f.next(); !isNews || len(event.Nodes) != 1 || event.Nodes[0].State != strconv.Itoa(i) {
			t.Fatalf("the event is %+v", event)
		}
	}
	if readings := mailbox.readings.Load() - begin; readings != 100 {
		t.Errorf("100 changes read %d actors", readings)
	}
	p.leave(f)
	p.state("root/engine/container/7", "last")
	if _, isNews := f.next(); isNews {
		t.Error("a follower that has left receives changes")
	}
}

// BenchmarkFollow measures a change of one of 10,000 actors for one open page.
func BenchmarkFollow(b *testing.B) {
	p, _ := crowd(10_000)
	f := newFollower(p)
	p.add(f)
	f.snapshot()
	for i := 0; b.Loop(); i++ {
		p.state("root/engine/container/7", strconv.Itoa(i))
		f.next()
	}
}
