package async

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestBackoffGrowsToItsCeiling(t *testing.T) {
	b := Backoff{Min: 100 * time.Millisecond, Max: time.Second}
	for attempt, most := range map[int]time.Duration{
		1: 100 * time.Millisecond, 2: 200 * time.Millisecond, 3: 400 * time.Millisecond,
		4: 800 * time.Millisecond, 5: time.Second, 100: time.Second,
	} {
		for range 100 {
			if d := b.Delay(attempt); d < most/2 || d > most {
				t.Fatalf("attempt %d waits %v, want between %v and %v", attempt, d, most/2, most)
			}
		}
	}
}

func TestSpreadIsPartOfDuration(t *testing.T) {
	seen := map[time.Duration]bool{}
	for range 1000 {
		d := Spread(time.Second)
		if d < 0 || d >= time.Second {
			t.Fatal(d)
		}
		seen[d] = true
	}
	if len(seen) < 2 {
		t.Error("there is no spread")
	}
}

func TestPatienceEndsWithoutProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, progressed, end := WithPatience(t.Context(), time.Minute, "the test")
		defer end()
		for range 5 {
			time.Sleep(50 * time.Second)
			progressed()
		}
		if ctx.Err() != nil {
			t.Fatal("the context ended despite progress")
		}
		time.Sleep(61 * time.Second)
		if ctx.Err() == nil || !strings.Contains(context.Cause(ctx).Error(), "the test made no progress for 1m0s") {
			t.Errorf("cause: %v", context.Cause(ctx))
		}
	})
}

func TestRunnerStopDropsResults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		results := make(chan Result, 8)
		r := NewRunner(t.Context(), func(result Result) { results <- result })
		r.Go(time.Minute, func(context.Context) any { return 1 })
		r.Go(time.Minute, func(context.Context) any { panic(errors.New("a bug")) })
		r.After(time.Minute, 2)
		r.Loop(func(ctx context.Context, send func(any)) any {
			<-ctx.Done()
			send(3)
			return 4
		})
		synctest.Wait()
		r.Stop()
		r.Wait()
		time.Sleep(2 * time.Minute)
		if len(results) != 2 {
			t.Fatalf("%d results, want the value and the panic", len(results))
		}
		for range 2 {
			if result := <-results; result.Value != 1 && (result.Err == nil || !strings.Contains(result.Err.Error(), "a bug")) {
				t.Errorf("result %+v", result)
			}
		}
	})
}

// registry is a context that counts the contexts that are derived from it and not
// cancelled.
type registry struct {
	context.Context

	done chan struct{}
	open atomic.Int32
}

func (r *registry) Done() <-chan struct{} { return r.done }

// AfterFunc is what package context calls for each derived context.
func (r *registry) AfterFunc(func()) (stop func() bool) {
	r.open.Add(1)
	return func() bool {
		r.open.Add(-1)
		return true
	}
}

// A Runner lives as long as a connection, and starts a goroutine for each reading.
func TestRunnerGoReleasesContexts(t *testing.T) {
	r := NewRunner(t.Context(), func(Result) {})
	open := &registry{Context: t.Context(), done: make(chan struct{})}
	r.ctx = open
	for _, timeout := range []time.Duration{time.Minute, NoDeadline} {
		r.Go(timeout, func(context.Context) any {
			if n := open.open.Load(); n != 1 {
				t.Errorf("timeout %s: %d contexts of one goroutine", timeout, n)
			}
			return nil
		})
		r.Wait()
		if n := open.open.Load(); n != 0 {
			t.Errorf("timeout %s: %d contexts remain", timeout, n)
		}
	}
}

func TestPanicErrorKeepsStackForTheLog(t *testing.T) {
	err := fmt.Errorf("read an object: %w", Safely(func() error { panic("a bug") }))
	if text := err.Error(); text != "read an object: panic in a task: a bug" {
		t.Errorf("error %q, want one line without the stack", text)
	}
	if logged := fmt.Sprint(WithStack(err)); !strings.HasPrefix(logged, err.Error()+"\n") || !strings.Contains(logged, "TestPanicErrorKeepsStack") {
		t.Errorf("logged %q, want the error and the stack", logged)
	}
	if plain := errors.New("refused"); WithStack(plain) != any(plain) {
		t.Error("an error without a panic is logged otherwise")
	}
}
