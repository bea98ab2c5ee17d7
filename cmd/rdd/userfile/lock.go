package userfile

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// lockFor is how long Locked waits for another process, and lockPause the pause between
// two tries.
const (
	lockFor   = 10 * time.Second
	lockPause = 10 * time.Millisecond
)

// Locked runs change while it holds a lock on a directory, which must exist. The lock
// excludes other callers of Locked, in all processes, and leaves no file behind. On a
// file system without locks, change runs without one.
func Locked(dir string, change func() error) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("lock the directory: %w", err)
	}
	defer f.Close() // releases the lock
	for deadline := time.Now().Add(lockFor); ; {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EWOULDBLOCK), errors.Is(err, syscall.EINTR):
		default:
			return change()
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("another process has locked directory %s for %s: retry when it has ended", dir, lockFor)
		}
		<-time.After(lockPause)
	}
}
