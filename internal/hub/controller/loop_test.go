package controller

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
)

// simulated is a hub on virtual time, whose informers are never late.
type simulated struct {
	began time.Time
	names []string
	loop  *loop
	// removal, if it is set, is what a removal of mirrors does.
	removal func(ctx context.Context) error

	mu       sync.Mutex
	machines map[string]facts
	acts     []string
}

// simulate returns a hub, and a loop that has just begun and runs until the test ends.
func simulate(t *testing.T, names ...string) *simulated {
	s := &simulated{began: time.Now(), names: names, machines: map[string]facts{}}
	for _, name := range names {
		f := connected()
		f.removeAfter = 24 * time.Hour
		s.machines[name] = f
	}
	s.begin(t)
	return s
}

// begin replaces the loop by one that has seen nothing.
func (s *simulated) begin(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s.loop = newLoop(s, newMemory(), slog.New(slog.DiscardHandler))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.loop.run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	for _, name := range s.names {
		s.loop.changed(name)
	}
}

// elapse lets virtual time pass.
func elapse(d time.Duration) { <-time.After(d) }

// renew is a renewal of the Lease of a machine whose clock shows another time.
func (s *simulated) renew(name string, offset time.Duration) {
	s.observe(name, "holder", offset, false)
}

func (s *simulated) observe(name, holder string, offset time.Duration, isInitial bool) {
	now := metav1.NewMicroTime(time.Now().Add(offset))
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{UID: "1"}}
	lease.Spec.HolderIdentity, lease.Spec.RenewTime = &holder, &now
	s.loop.memory.observe(name, lease, isInitial)
	s.loop.changed(name)
}

func (s *simulated) facts(_ context.Context, name string) (facts, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.machines[name]
	f.hubTime = time.Now()
	return f, nil
}

func (s *simulated) act(name, act string, change func(*facts)) {
	s.mu.Lock()
	s.acts = append(s.acts, fmt.Sprintf("%s %s after %v", act, name, time.Since(s.began)))
	f := s.machines[name]
	change(&f)
	s.machines[name] = f
	s.mu.Unlock()
	s.loop.changed(name)
}

func (s *simulated) markAway(_ context.Context, name string, _ facts) error {
	s.act(name, "mark", func(f *facts) {
		f.ready = &metav1.Condition{Status: metav1.ConditionUnknown, Reason: hubv1.ReasonLeaseExpired, LastTransitionTime: metav1.Now()}
	})
	return nil
}

func (s *simulated) removeMirrors(ctx context.Context, name string, f facts) error {
	ctx, done := s.loop.memory.while(ctx, name, f.lease)
	defer done()
	s.act(name, "remove mirrors of", func(*facts) {})
	if s.removal == nil {
		return nil
	}
	return s.removal(ctx)
}

func (s *simulated) unmark(_ context.Context, name string) error {
	s.act(name, "unmark", func(f *facts) { f.isMarked = false })
	return nil
}

func (s *simulated) reportRemains(_ context.Context, name string) error {
	s.act(name, "report", func(*facts) {})
	return nil
}

// settled returns all acts so far, once nothing can be done at this time.
func (s *simulated) settled() []string {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.acts)
}

// forget begins the list of acts, and its time, again.
func (s *simulated) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acts, s.began = nil, time.Now()
}

// acted fails the test unless these were all acts so far.
func (s *simulated) acted(t *testing.T, want ...string) {
	t.Helper()
	if acts := s.settled(); !slices.Equal(acts, want) {
		t.Errorf("the acts are %q, want %q", acts, want)
	}
}

// Rows H6 and H14: a machine counts as away by its last renewal, whatever its clock shows.
// Each transition has one act, and there is none at rest.
func TestLoopMarksThenRemovesOnce(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for name, offset := range map[string]time.Duration{"right": 0, "behind": -year, "ahead": year} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := simulate(t, "a")
				for range 30 { // for five minutes
					s.renew("a", offset)
					elapse(10 * time.Second)
				}
				s.acted(t)
				elapse(49 * time.Second)
				s.acted(t)
				elapse(time.Second)
				s.acted(t, "mark a after 5m50s")
				elapse(24*time.Hour - time.Second)
				s.acted(t, "mark a after 5m50s")
				elapse(1000 * time.Hour)
				s.acted(t, "mark a after 5m50s", "remove mirrors of a after 24h5m50s")
			})
		})
	}
}

// Row H16: a controller that has begun less than staleAfter ago removes nothing, however long
// the machine is away.
func TestLoopNewLeaderWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulate(t, "a", "b")
		s.observe("a", "holder", 0, true)
		s.observe("b", "", 0, true)
		elapse(59 * time.Second)
		s.acted(t)
		elapse(48 * time.Hour)
		if acts := s.settled(); len(acts) != 4 {
			t.Fatalf("the acts are %q", acts)
		}
		s.forget()
		s.begin(t)
		s.observe("a", "holder", 0, true) // and b has no Lease any more
		elapse(59 * time.Second)
		s.acted(t)
		elapse(time.Second)
		acts := s.settled()
		slices.Sort(acts)
		if want := []string{"remove mirrors of a after 1m0s", "remove mirrors of b after 1m0s"}; !slices.Equal(acts, want) {
			t.Errorf("the acts are %q, want %q", acts, want)
		}
	})
}

// A machine that returns is left alone, also in the middle of a removal.
func TestLoopReturnEndsRemoval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulate(t, "a")
		ended := errors.New("not yet")
		s.removal = func(ctx context.Context) error {
			<-ctx.Done()
			ended = context.Cause(ctx)
			return ended
		}
		s.renew("a", 0)
		elapse(24*time.Hour + 2*time.Minute)
		s.acted(t, "mark a after 1m0s", "remove mirrors of a after 24h1m0s")
		s.renew("a", 0)
		s.act("a", "ready", func(f *facts) { f.ready.Status, f.isMarked = metav1.ConditionTrue, true })
		elapse(30 * time.Second)
		if !errors.Is(ended, errChanged) {
			t.Errorf("the removal ended with %v", ended)
		}
		s.acted(t, "mark a after 1m0s", "remove mirrors of a after 24h1m0s", "ready a after 24h2m0s", "unmark a after 24h2m0s")
	})
}

// Removals that take long delay no mark, and a removal that fails is retried.
func TestLoopRemovalsDelayNoMark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulate(t, "a", "b", "c", "d")
		failures := 2
		s.removal = func(ctx context.Context) error {
			select {
			case <-ctx.Done():
			case <-time.After(time.Hour):
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if failures--; failures >= 0 {
				return errors.New("refused")
			}
			return nil
		}
		for _, name := range s.names {
			s.renew(name, 0)
		}
		elapse(24*time.Hour + 30*time.Minute)
		s.renew("d", 0)
		elapse(time.Minute)
		if acts := s.settled(); !slices.Contains(acts, "mark d after 24h31m0s") {
			t.Errorf("the acts are %q", acts)
		}
		elapse(20 * time.Hour)
		acts, removed := s.settled(), 0
		for _, act := range acts {
			if act[0] == 'r' {
				removed++
			}
		}
		if removed < 3 {
			t.Errorf("the acts are %q", acts)
		}
	})
}

func TestMemoryReadsRecord(t *testing.T) {
	m := newMemory()
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{UID: "1", ResourceVersion: "1"}}
	lease.Spec.RenewTime = new(metav1.NewMicroTime(origin))
	m.observe("a", lease, true)
	first, _ := m.reading("a")
	if !first.isFirst || !first.exists() {
		t.Errorf("the first reading is %+v", first)
	}
	// A change of something else is no renewal.
	lease = lease.DeepCopy()
	lease.ResourceVersion, lease.Labels = "2", map[string]string{"a": "b"}
	m.observe("a", lease, false)
	if again, _ := m.reading("a"); again != first {
		t.Errorf("the second reading is %+v", again)
	}
	for _, change := range []struct {
		name string
		do   func()
	}{
		{"renewal", func() { lease.Spec.RenewTime = new(metav1.NewMicroTime(origin.Add(time.Microsecond))) }},
		{"takeover", func() { lease.Spec.HolderIdentity = new("b") }},
		{"release", func() { lease.Spec.HolderIdentity = new("") }},
		{"recreation", func() { lease.UID = "2" }},
		{"deletion", func() { lease = nil }},
	} {
		before, _ := m.reading("a")
		during, done := m.while(t.Context(), "a", before)
		m.emptied("a", before)
		lease = lease.DeepCopy()
		change.do()
		m.observe("a", lease, false)
		after, _ := m.reading("a")
		if after.record == before.record || after.isFirst || after.isEmptied || !errors.Is(context.Cause(during), errChanged) {
			t.Errorf("after the %s: %+v, %v", change.name, after, context.Cause(during))
		}
		done()
		late, done := m.while(t.Context(), "a", before)
		if !errors.Is(context.Cause(late), errChanged) {
			t.Errorf("after the %s, an act relies on the former reading", change.name)
		}
		done()
	}
}

// The cost of a renewal does not depend on the number of machines.
func BenchmarkRenewal(b *testing.B) {
	for _, count := range []int{50, 5000} {
		b.Run(fmt.Sprintf("machines=%d", count), func(b *testing.B) {
			s := &simulated{began: time.Now(), machines: map[string]facts{}}
			names := make([]string, count)
			for i := range names {
				names[i] = fmt.Sprintf("m-%d", i)
				s.machines[names[i]] = connected()
			}
			s.loop = newLoop(s, newMemory(), slog.New(slog.DiscardHandler))
			defer s.loop.due.ShutDown()
			defer s.loop.long.ShutDown()
			for i := 0; b.Loop(); i++ {
				name := names[i%count]
				s.renew(name, 0)
				got, _ := s.loop.due.Get()
				if err := s.loop.judge(b.Context(), got); err != nil {
					b.Fatal(err)
				}
				s.loop.due.Done(got)
			}
		})
	}
}
