package supervisor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

type unusable struct{ error }

func (unusable) Permanent() bool { return true }

// F10: a permanent failure ends the daemon at once, with the reason.
func TestPermanentFailureEndsDaemon(t *testing.T) {
	for name, test := range map[string]struct {
		err   error
		tries int
	}{
		"permanent": {fmt.Errorf("start the control plane: %w", unusable{errors.New("written by a newer rdd")}), 1},
		"transient": {errors.New("the disk is full"), 1 + rootPolicy("").Intensity},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries, begun := 0, time.Now()
				d := newDaemon(Config{Logger: slog.New(slog.DiscardHandler)})
				b := d.blueprint()
				b.serve = func(context.Context) (server, error) {
					tries++
					return nil, test.err
				}
				err := d.runTree(t.Context(), b)
				if err == nil || !strings.Contains(err.Error(), test.err.Error()) {
					t.Errorf("the daemon ends with %v", err)
				}
				if tries != test.tries {
					t.Errorf("%d tries, want %d", tries, test.tries)
				}
				if took := time.Since(begun); test.tries == 1 && took > 0 {
					t.Errorf("ended after %v, want no delay", took)
				}
				// The stop of an actor that has just ended is a dead letter, whose throttle
				// waits for a second.
				time.Sleep(time.Second)
			})
		})
	}
}

func TestPermanentFindsWrappedError(t *testing.T) {
	for err, want := range map[error]bool{
		errors.New("x"): false,
		errors.Join(errors.New("x"), fmt.Errorf("y: %w", unusable{errors.New("z")})): true,
		messages.ChildFailed{}.Err: false,
	} {
		if got := permanent(err); got != want {
			t.Errorf("%v: %v", err, got)
		}
	}
}
