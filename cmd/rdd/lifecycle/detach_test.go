package lifecycle

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// F3: 'flock FILE rdd start' releases its lock, although the daemon keeps running.
func TestDaemonHoldsNoInheritedLock(t *testing.T) {
	f := newFixture(t, behaves)
	path := filepath.Join(t.TempDir(), "lock")
	fd, err := syscall.Open(path, syscall.O_CREAT|syscall.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(fd, syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	f.start(t)
	if err := syscall.Close(fd); err != nil {
		t.Fatal(err)
	}
	again, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if err := syscall.Flock(int(again.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		t.Errorf("the daemon holds the lock: %v", err)
	}
}
