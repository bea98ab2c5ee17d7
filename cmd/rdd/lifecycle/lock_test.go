package lifecycle

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

// A command without the lock runs only on a disk on which no daemon starts.
func TestCommandNeedsInstanceLock(t *testing.T) {
	f := newFixture(t, behaves)
	if err := f.Instance.Create(); err != nil {
		t.Fatal(err)
	}
	// Not even root can open a directory for writing.
	if err := os.Mkdir(f.Instance.PidFile, 0o700); err != nil {
		t.Fatal(err)
	}
	err := f.Exclusively(t.Context(), "testing", func() error {
		t.Error("the function was called without the lock")
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "testing needs the instance's lock") || !strings.Contains(err.Error(), f.Instance.PidFile) {
		t.Errorf("Exclusively: %v", err)
	}
	for _, cause := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS} {
		if !instance.IsDiskUnwritable(fmt.Errorf("lock: %w", &os.PathError{Op: "open", Err: cause})) {
			t.Errorf("%v is not the error of a full or read-only disk", cause)
		}
	}
	if instance.IsDiskUnwritable(syscall.EACCES) {
		t.Error("a file without rights counts as a full disk")
	}
}

// The lock also excludes a daemon when a user removed the instance's directory.
func TestLockWithoutDirectoryExcludes(t *testing.T) {
	f := newFixture(t, behaves)
	cause := errors.New("of the function")
	err := f.withInstanceLock(t.Context(), time.Minute, "testing", func() error {
		if pid, running, err := instance.Running(f.Instance.PidFile); !running || pid != os.Getpid() || err != nil {
			t.Errorf("the lock is held by %d: %v, %v", pid, running, err)
		}
		return cause
	})
	if !errors.Is(err, cause) {
		t.Errorf("withInstanceLock: %v", err)
	}
	if _, err := os.Lstat(f.Instance.Dir); !os.IsNotExist(err) {
		t.Errorf("the directory remains: %v", err)
	}
}
