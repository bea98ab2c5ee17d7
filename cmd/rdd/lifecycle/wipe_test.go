package lifecycle

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

// F8: the directories of a daemon were removed by hand. The daemon is killed, and
// leaves its engine.
func TestEngineOfKilledOrphanIsStopped(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux shows which process locks a removed file")
	}
	f := newFixture(t, ignores)
	f.orphanGrace = 10 * time.Millisecond
	f.start(t)
	if err := os.RemoveAll(f.Instance.Dir); err != nil {
		t.Fatal(err)
	}
	ran, err := f.Stop(t.Context(), StopOptions{Timeout: 300 * time.Millisecond})
	if !ran || err != nil || f.engine.stops != 1 {
		t.Errorf("ran %v, %v, stops %d", ran, err, f.engine.stops)
	}
	if left := instance.Orphans(f.Instance.PidFile); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// F8: a start ends the daemon whose directories were removed by hand, so that no second
// one runs beside it.
func TestStartStopsOrphan(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux shows which process locks a removed file")
	}
	f := newFixture(t, behaves)
	f.orphanGrace = 10 * time.Millisecond
	orphan := f.start(t)
	if err := os.RemoveAll(f.Instance.Dir); err != nil {
		t.Fatal(err)
	}
	_, started, err := f.Start(t.Context(), instance.Args{})
	if !started || err != nil || f.pid(t) == orphan {
		t.Errorf("started %v, %v, pid %d", started, err, f.pid(t))
	}
	if left := instance.Orphans(f.Instance.PidFile); len(left) > 0 {
		t.Errorf("two daemons run: %v and %d", left, f.pid(t))
	}
}

// F2: deleting the engine removes a link. Delete returns its target.
func TestDeleteNamesLinkedData(t *testing.T) {
	f := newFixture(t, behaves)
	if err := f.Instance.Create(); err != nil {
		t.Fatal(err)
	}
	disk, link := t.TempDir(), filepath.Join(f.Instance.DataDir, "engine")
	if err := os.Symlink(disk, link); err != nil {
		t.Fatal(err)
	}
	f.engine.onDelete = func() error { return os.Remove(link) }
	left, err := f.Delete(t.Context(), 10*time.Second)
	if err != nil || !slices.Equal(left, []string{disk}) {
		t.Errorf("left %q, %v, want %q", left, err, disk)
	}
}

func TestExistsFindsWhatRemains(t *testing.T) {
	f := newFixture(t, behaves)
	exists := func(want bool, when string) {
		t.Helper()
		if got, err := f.Exists(t.Context()); err != nil || got != want {
			t.Errorf("%s: %v, %v", when, got, err)
		}
	}
	exists(false, "before it is created")
	f.engine.runs = true
	exists(true, "an engine without directories")
	f.engine.runs = false
	if err := f.Instance.Create(); err != nil {
		t.Fatal(err)
	}
	exists(true, "after it is created")
	if _, err := f.Delete(t.Context(), 10*time.Second); err != nil {
		t.Fatal(err)
	}
	exists(false, "after it is deleted")
	f.engine.err = errors.New("unreadable")
	if _, err := f.Exists(t.Context()); err == nil {
		t.Error("a failed search counts as no engine")
	}
}
