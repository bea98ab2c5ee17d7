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

// F11: Connect writes nothing if a daemon is running.
func TestConnectToRunningDaemonWritesNothing(t *testing.T) {
	f := newFixture(t, behaves)
	f.start(t)
	load := func() (instance.Args, error) {
		t.Error("the arguments of a running daemon were loaded")
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

// listed lists each file below dir with its inode and times.
func listed(t *testing.T, dir string) string {
	t.Helper()
	out, err := exec.Command("find", dir, "-printf", "%p %i %T@ %C@\n").Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestSilentDaemonIsHungAfterGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s silence
		old, young := instance.Run{PID: 7, Started: time.Now().Add(-time.Hour)}, instance.Run{PID: 7, Started: time.Now()}
		silent := fmt.Errorf("get: %w", context.DeadlineExceeded)
		began := time.Now()
		<-time.After(probeTimeout)
		if err := s.observe(old, began, silent, nil); err != nil {
			t.Errorf("after %s: %v", probeTimeout, err)
		}
		<-time.After(probeTimeout)
		if err := s.observe(young, began.Add(probeTimeout), silent, nil); err != nil {
			t.Errorf("starting daemon: %v", err)
		}
		if err := s.observe(old, began.Add(probeTimeout), silent, context.DeadlineExceeded); err != nil {
			t.Errorf("deadline of the caller: %v", err)
		}
		if err := s.observe(old, began.Add(probeTimeout), errors.New("refused"), nil); err != nil {
			t.Errorf("connection refused: %v", err)
		}
		began = time.Now()
		<-time.After(2 * probeTimeout)
		hung, ok := errors.AsType[*HungError](s.observe(old, began, silent, nil))
		if !ok || hung.PID != 7 {
			t.Errorf("silent for %s: %v", 2*probeTimeout, hung)
		}
	})
}
