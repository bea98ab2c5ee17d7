package vm

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// F10: a start with a permanent failure is refused at once, retried seldom, and
// retried at once for a new generation.
func TestPermanentFailureEndsWait(t *testing.T) {
	inWorld(t, func(w *world) {
		w.native.startErr = Permanent(errors.New("unknown flag: --nope"))
		w.ensure(1, true, native)
		w.sleep(1100 * time.Millisecond)
		if m := w.last(); m.State != failed || !m.Refused || !strings.Contains(m.Message, "unknown flag: --nope") {
			t.Errorf("last VMChanged: %+v", m)
		}
		w.sleep(5 * time.Minute)
		if tries := len(w.native.history()); tries > 6 {
			t.Errorf("%d tries in five minutes", tries)
		}
		w.native.with(func() { w.native.startErr = nil })
		w.ensure(2, true, native)
		w.sleep(2 * time.Second)
		if m := w.last(); m.State != running || m.Refused {
			t.Errorf("last VMChanged: %+v", m)
		}
	})
}

// F10: the engine ends early three times with the same unknown output, except for
// numbers such as times and pids.
func TestThirdSameEarlyEndIsPermanent(t *testing.T) {
	for name, test := range map[string]struct {
		output  func(try int) string
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
						w.native.startErr = &EndedEarlyError{Err: errors.New("dockerd ended"), Output: test.output(try)}
					})
				}
				next()
				w.ensure(1, true, native)
				for elapsed := time.Duration(0); elapsed < 10*time.Second; elapsed += 100 * time.Millisecond {
					w.sleep(100 * time.Millisecond)
					if m := w.last(); m.State == failed {
						if m.Refused != (test.refused && try >= maxRepeats) {
							t.Fatalf("try %d: last VMChanged: %+v", try, m)
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
