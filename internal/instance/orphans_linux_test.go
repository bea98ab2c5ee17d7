package instance

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// F8: the directories are removed by hand, also through a link, and a new pid file
// may be there already.
func TestF8OrphansAreFound(t *testing.T) {
	dir := t.TempDir()
	behind, link := filepath.Join(dir, "real"), filepath.Join(dir, "link")
	if err := os.Mkdir(behind, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(behind, link); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(link, "pid")
	lost, release := holder(t, file)
	if got := Orphans(file); len(got) != 0 {
		t.Errorf("a daemon with its pid file is an orphan: %v", got)
	}
	if err := os.RemoveAll(behind); err != nil {
		t.Fatal(err)
	}
	want := func(when string) {
		t.Helper()
		if got := Orphans(file); len(got) != 1 || got[0].PID != lost.Pid {
			t.Errorf("%s: %v, want pid %d", when, got, lost.Pid)
		}
	}
	want("removed")
	if err := os.Mkdir(behind, 0o700); err != nil {
		t.Fatal(err)
	}
	next, _ := holder(t, file)
	want("replaced")
	release()
	if got := Orphans(file); len(got) != 0 {
		t.Errorf("a daemon that ended is an orphan: %v", got)
	}
	expectRunning(t, file, next.Pid) // the first one has not removed its pid file
}

// A process that only has the removed file open is no daemon.
func TestOpenFileMakesNoOrphan(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	for info, want := range map[string]bool{
		"pos:\t0\nlock:\t1: FLOCK  ADVISORY  WRITE 7 fe:00:1 0 EOF\n": true,
		"pos:\t0\nlock:\t1: FLOCK  ADVISORY  READ 7 fe:00:1 0 EOF\n":  false,
		"pos:\t0\nlock:\t1: POSIX  ADVISORY  WRITE 7 fe:00:1 0 EOF\n": false,
		"pos:\t0\n":   false,
		"lock: FLOCK": false,
	} {
		if got := isLockedFor(info); got != want {
			t.Errorf("%q: %v", info, got)
		}
	}
	if got := Orphans(file); len(got) != 0 {
		t.Errorf("orphans of a file that never was: %v", got)
	}
}

// F8: the holder notices that its pid file is gone, or another's.
func TestF8WaitLost(t *testing.T) {
	for name, loose := range map[string]func(file string) error{
		"removed":  os.Remove,
		"replaced": func(file string) error { return ReplaceFile(file, []byte("1")) },
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "pid")
			lock, err := Lock(file)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			if err := lock.WaitLost(ctx, time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("with its file: %v", err)
			}
			if err := loose(file); err != nil {
				t.Fatal(err)
			}
			ctx, cancel = context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			if err := lock.WaitLost(ctx, time.Millisecond); err != nil {
				t.Errorf("without: %v", err)
			}
			if err := lock.Release(); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(file); name == "replaced" && err != nil {
				t.Errorf("another's pid file was removed: %v", err)
			}
		})
	}
}
