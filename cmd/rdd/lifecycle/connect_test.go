package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

// F11: what talks to a daemon that runs writes nothing.
func TestConnectToARunningDaemonWritesNothing(t *testing.T) {
	f := newFixture(t, behaves)
	f.start(t)
	load := func() (instance.Args, error) {
		t.Error("the arguments were read for a daemon that runs")
		return instance.Args{}, nil
	}
	before := listed(t, f.Instance.Dir)
	if _, err := f.Connect(t.Context(), load); err != nil {
		t.Error(err)
	}
	if after := listed(t, f.Instance.Dir); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

// listed shows each file below dir with its inode and times.
func listed(t *testing.T, dir string) string {
	t.Helper()
	out, err := exec.Command("find", dir, "-printf", "%p %i %T@ %C@\n").Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestSilentDaemonIsHungAfterAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s silence
		old, young := instance.Run{PID: 7, Started: time.Now().Add(-time.Hour)}, instance.Run{PID: 7, Started: time.Now()}
		silent := fmt.Errorf("get: %w", context.DeadlineExceeded)
		began := time.Now()
		<-time.After(probeTimeout)
		if err := s.heard(old, began, silent, nil); err != nil {
			t.Errorf("after %s: %v", probeTimeout, err)
		}
		<-time.After(probeTimeout)
		if err := s.heard(young, began.Add(probeTimeout), silent, nil); err != nil {
			t.Errorf("a daemon that starts: %v", err)
		}
		if err := s.heard(old, began.Add(probeTimeout), silent, context.DeadlineExceeded); err != nil {
			t.Errorf("the caller's own deadline: %v", err)
		}
		if err := s.heard(old, began.Add(probeTimeout), errors.New("refused"), nil); err != nil {
			t.Errorf("an answer: %v", err)
		}
		began = time.Now()
		<-time.After(2 * probeTimeout)
		hung, ok := errors.AsType[*HungError](s.heard(old, began, silent, nil))
		if !ok || hung.PID != 7 {
			t.Errorf("silent for %s: %v", 2*probeTimeout, hung)
		}
	})
}
