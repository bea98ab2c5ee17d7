package vm

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestPermanentFailureEndsTheWait is F10: a start that fails for good is refused at
// once, tried seldom, and tried at once when the user asks again.
func TestPermanentFailureEndsTheWait(t *testing.T) {
	inWorld(t, func(w *world) {
		w.native.startErr = Permanent(errors.New("unknown flag: --nope"))
		w.ensure(1, true, native)
		w.sleep(1100 * time.Millisecond)
		if m := w.last(); m.State != failed || !m.Refused || !strings.Contains(m.Message, "unknown flag: --nope") {
			t.Errorf("reported %+v", m)
		}
		w.sleep(5 * time.Minute)
		if tries := len(w.native.history()); tries > 6 {
			t.Errorf("%d tries in five minutes", tries)
		}
		w.native.with(func() { w.native.startErr = nil })
		w.ensure(2, true, native)
		w.sleep(2 * time.Second)
		if m := w.last(); m.State != running || m.Refused {
			t.Errorf("reported %+v", m)
		}
	})
}

// TestSameEarlyEndThriceEndsTheWait is F10 for words that are not known: the engine
// ends with them each time, whatever the time and the pid in them.
func TestSameEarlyEndThriceEndsTheWait(t *testing.T) {
	for name, test := range map[string]struct {
		words   func(try int) string
		refused bool
	}{
		"the same":  {func(try int) string { return fmt.Sprintf("12:00:0%d the kernel lacks nat (pid %d)", try, 40+try) }, true},
		"different": {func(try int) string { return strings.Repeat("other words ", try) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				try := 0
				next := func() {
					try++
					w.native.with(func() {
						w.native.startErr = &EndedEarlyError{Err: errors.New("dockerd ended"), Words: test.words(try)}
					})
				}
				next()
				w.ensure(1, true, native)
				for elapsed := time.Duration(0); elapsed < 10*time.Second; elapsed += 100 * time.Millisecond {
					w.sleep(100 * time.Millisecond)
					if m := w.last(); m.State == failed {
						if m.Refused != (test.refused && try >= alikeAtMost) {
							t.Fatalf("try %d: reported %+v", try, m)
						}
						if m.Refused {
							return
						}
						next()
						w.states()
						w.sleep(time.Until(m.Retry) + time.Second/2)
					}
				}
				if test.refused {
					t.Error("never refused")
				}
			})
		})
	}
}
