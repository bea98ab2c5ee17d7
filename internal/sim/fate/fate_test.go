package fate

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

var (
	errFailed = errors.New("failed")
	errLost   = errors.New("lost")
)

func newTestLink(f *Fates) *Link {
	return NewLink(f, "link", func(*Dice) error { return errFailed }, func(*Dice) error { return errLost })
}

func TestDrawDependsOnlyOnWhoAndCount(t *testing.T) {
	one, two := New(7), New(7)
	two.Draw("other")
	if a, b := one.Draw("who").N(1e9), two.Draw("who").N(1e9); a != b {
		t.Errorf("a draw of another changed %d to %d", a, b)
	}
	if a, b := one.Draw("who").N(1e9), New(7).Draw("who").N(1e9); a == b {
		t.Errorf("two draws of one are %d", a)
	}
	if a, b := New(7).Draw("who").N(1e9), New(8).Draw("who").N(1e9); a == b {
		t.Errorf("two seeds draw %d", a)
	}
}

func TestDiceStayWithinBounds(t *testing.T) {
	d, hits := New(1).Draw("who"), 0
	for range 10_000 {
		if n := d.N(3); n < 0 || n > 2 {
			t.Fatal(n)
		}
		if b := d.Between(time.Second, 2*time.Second); b < time.Second || b > 2*time.Second {
			t.Fatal(b)
		}
		if d.Chance(0) || !d.Chance(1) {
			t.Fatal("a chance of 0 or 1 is not certain")
		}
		if d.Chance(0.1) {
			hits++
		}
	}
	if hits < 800 || hits > 1200 {
		t.Errorf("a chance of 0.1 hits %d times in 10000", hits)
	}
}

func TestWaitsEndAtDifferentInstants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, ends := New(1), make(chan time.Time, 100)
		for range cap(ends) {
			go func() { f.Pass(time.Second); ends <- time.Now() }()
		}
		seen := map[time.Time]bool{}
		for range cap(ends) {
			at := <-ends
			if seen[at] {
				t.Fatal("two waits end at", at)
			}
			seen[at] = true
		}
	})
}

func TestCallHasEffectOfItsFate(t *testing.T) {
	for name, tc := range map[string]struct {
		rates   Rates
		err     error
		effects []int
	}{
		"good":  {Rates{}, nil, []int{1}},
		"fails": {Rates{Fail: 1}, errFailed, []int{0}},
		"lost":  {Rates{Lose: 1}, errLost, []int{1}},
		"hangs": {Rates{Hang: 1}, context.DeadlineExceeded, []int{0, 1}},
		"slow":  {Rates{Slow: 1}, nil, []int{1}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				link := newTestLink(New(1))
				link.Set(tc.rates)
				var seen []int
				for range 50 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					effects := 0
					err := link.Call(ctx, NewProcess(), "do", "it", func() error { effects++; return nil })
					cancel()
					if !errors.Is(err, tc.err) {
						t.Fatalf("%v, want %v", err, tc.err)
					}
					if !slices.Contains(seen, effects) {
						seen = append(seen, effects)
					}
				}
				if slices.Sort(seen); !slices.Equal(seen, tc.effects) {
					t.Errorf("effects %v, want %v", seen, tc.effects)
				}
			})
		})
	}
}

func TestKilledProcessGetsNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		link, p := newTestLink(New(1)), NewProcess()
		link.Freeze()
		answer := make(chan error)
		go func() {
			answer <- link.Call(t.Context(), p, "do", "it", func() error {
				t.Error("a call of a killed process had an effect")
				return nil
			})
		}()
		time.Sleep(time.Second)
		p.Kill()
		if err := <-answer; !errors.Is(err, errDead) {
			t.Error(err)
		}
		link.Thaw()
	})
}

func TestFrozenCallsArriveAfterThaw(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		link, begun := newTestLink(New(1)), time.Now()
		link.Freeze()
		time.AfterFunc(time.Minute, link.Thaw)
		if err := link.Call(t.Context(), NewProcess(), "do", "it", func() error { return nil }); err != nil {
			t.Error(err)
		}
		if took := time.Since(begun); took < time.Minute {
			t.Errorf("answered after %s", took)
		}
	})
}

func TestExemptCallIsNotFaulted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		link := newTestLink(New(1)).Sturdy("events")
		link.Set(Rates{Crash: 1, Hang: 1})
		if err := link.Call(t.Context(), NewProcess(), "events", "", func() error { return nil }); err != nil {
			t.Error(err)
		}
		defer func() {
			if recover() == nil {
				t.Error("a call of another verb did not crash")
			}
		}()
		_ = link.Call(t.Context(), NewProcess(), "do", "it", func() error { return nil })
	})
}
