package ui

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestSlowPageEndsItsWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		all := &watches{
			ctx: ctx, api: func() http.Handler { return watchAPI() }, out: newOutbox(10<<10, patience),
			stops: map[int64]context.CancelCauseFunc{},
		}
		for _, text := range []string{`{"id":1,"path":"/apis/endless?watch=1"}`, `{"id":2,"path":"/apis/open?watch=1"}`} {
			if err := all.handle([]byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(patience - 1)
		synctest.Wait()
		all.mutex.Lock()
		running := len(all.stops)
		all.mutex.Unlock()
		if running != 2 {
			t.Errorf("after less than %s, %d watches run", patience, running)
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		messages := all.out.take(ctx)
		size := 0
		for _, m := range messages {
			size += len(m)
		}
		last := string(messages[len(messages)-1])
		if size > 13<<10 || !strings.Contains(last, `"reason":"Slow"`) || !strings.Contains(last, `"id":1`) {
			t.Errorf("%d bytes wait, and the last message is %s", size, last)
		}
		cancel()
		all.running.Wait()
	})
}

func TestOutboxWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox(2, time.Hour)
		if err := o.send(t.Context(), []byte("aa")); err != nil {
			t.Fatal(err)
		}
		sent := make(chan error, 1)
		go func() { sent <- o.send(t.Context(), []byte("b")) }()
		synctest.Wait()
		o.force([]byte("end"))
		if got := o.take(t.Context()); len(got) != 2 || string(got[1]) != "end" {
			t.Errorf("the queue has %q", got)
		}
		if err := <-sent; err != nil {
			t.Error(err)
		}
		if got := o.take(t.Context()); len(got) != 1 || string(got[0]) != "b" {
			t.Errorf("the queue has %q", got)
		}
	})
}

func TestOutboxSendEndsWithContext(t *testing.T) {
	o := newOutbox(1, time.Hour)
	o.force([]byte("a"))
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errStopped)
	if err := o.send(ctx, []byte("b")); !errors.Is(err, errStopped) {
		t.Errorf("send = %v", err)
	}
	<-o.ready
	if o.take(ctx) != nil {
		t.Error("an ended queue has messages")
	}
}

// A message that was added between a signal and its taking has a signal of its own, but no
// messages are left for it.
func TestOutboxIgnoresLateSignal(t *testing.T) {
	o := newOutbox(9, time.Hour)
	o.force([]byte("a"))
	<-o.ready
	o.force([]byte("b"))
	if got := o.empty(); len(got) != 2 {
		t.Fatalf("the queue has %q", got)
	}
	go o.force([]byte("c"))
	if got := o.take(t.Context()); len(got) != 1 || string(got[0]) != "c" {
		t.Errorf("the queue has %q", got)
	}
}
