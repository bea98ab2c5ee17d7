package instance

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Row F8: a daemon is found after the user removed its directories, also behind a link,
// and after a new daemon created another pid file.
func TestOrphansFindsRemovedPidFile(t *testing.T) {
	dir := t.TempDir()
	behind, link := filepath.Join(dir, "real"), filepath.Join(dir, "link")
	if err := os.Mkdir(behind, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(behind, link); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(link, "pid")
	orphan, release := holder(t, file)
	if got := Orphans(file); len(got) != 0 {
		t.Errorf("a daemon with a pid file is an orphan: %v", got)
	}
	if err := os.RemoveAll(behind); err != nil {
		t.Fatal(err)
	}
	want := func(when string) {
		t.Helper()
		if got := Orphans(file); len(got) != 1 || got[0].PID != orphan.Pid {
			t.Errorf("%s: %v, want pid %d", when, got, orphan.Pid)
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
		t.Errorf("a daemon that has ended is an orphan: %v", got)
	}
	expectRunning(t, file, next.Pid) // the first daemon did not remove this pid file
}

// A process that has the removed file open without an exclusive lock is no daemon.
func TestOrphansRequiresExclusiveLock(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	for info, want := range map[string]bool{
		"pos:\t0\nlock:\t1: FLOCK  ADVISORY  WRITE 7 fe:00:1 0 EOF\n": true,
		"pos:\t0\nlock:\t1: FLOCK  ADVISORY  READ 7 fe:00:1 0 EOF\n":  false,
		"pos:\t0\nlock:\t1: POSIX  ADVISORY  WRITE 7 fe:00:1 0 EOF\n": false,
		"pos:\t0\n":   false,
		"lock: FLOCK": false,
	} {
		if got := hasExclusiveLock(info); got != want {
			t.Errorf("%q: %v", info, got)
		}
	}
	if got := Orphans(file); len(got) != 0 {
		t.Errorf("orphans of a file that never existed: %v", got)
	}
}

// Row F8: a daemon notices that its pid file was removed or replaced, before and while it
// waits.
func TestWaitLostNoticesRemovedFile(t *testing.T) {
	for name, change := range map[string]func(file string) error{
		"removed":           os.Remove,
		"replaced":          func(file string) error { return ReplaceFile(file, []byte("1")) },
		"directory removed": func(file string) error { return os.RemoveAll(filepath.Dir(file)) },
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "run", "pid")
			lock := lockIn(t, file)
			if err := waitLost(t, lock, 20*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("before the change: %v", err)
			}
			if err := change(file); err != nil {
				t.Fatal(err)
			}
			if err := waitLost(t, lock, 10*time.Second); err != nil {
				t.Errorf("after the change: %v", err)
			}
			if err := lock.Release(); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(file); name == "replaced" && err != nil {
				t.Errorf("Release removed the pid file of another process: %v", err)
			}
		})
		t.Run(name+" during the wait", func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "run", "pid")
			lock := lockIn(t, file)
			lost := make(chan error, 1)
			go func() { lost <- waitLost(t, lock, watchedInterval/2) }()
			// Several checks, after which only the kernel reports the change in time.
			<-time.After(50 * time.Millisecond)
			if err := change(file); err != nil {
				t.Fatal(err)
			}
			if err := <-lost; err != nil {
				t.Error(err)
			}
			if err := lock.Release(); err != nil {
				t.Error(err)
			}
		})
	}
}

func waitLost(t *testing.T, lock *PidLock, timeout time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	return lock.WaitLost(ctx, time.Millisecond)
}

// lockIn locks a pid file in a new directory.
func lockIn(t *testing.T, file string) *PidLock {
	t.Helper()
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	lock, err := Lock(file)
	if err != nil {
		t.Fatal(err)
	}
	return lock
}
