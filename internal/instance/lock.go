package instance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Lock tries lockTries times, with pauses of lockPause. Running holds the lock for
// microseconds, and that must not fail the start of a daemon.
const (
	lockTries = 20
	lockPause = 5 * time.Millisecond
)

// IsDiskUnwritable reports whether err is that of a disk that is full or read-only. No
// daemon starts on such a disk.
func IsDiskUnwritable(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EROFS)
}

// RunningError reports that another daemon of the instance is running.
type RunningError struct {
	// PID is the pid of the other daemon; 0 if it has not written it yet.
	PID int
}

func (e *RunningError) Error() string {
	if e.PID == 0 {
		return "another daemon of this instance is starting"
	}
	return fmt.Sprintf("the daemon of this instance is already running with pid %d", e.PID)
}

// PidLock is a locked pid file.
type PidLock struct {
	file *os.File
}

// Lock locks the pid file and writes the caller's pid to it. The kernel releases the
// lock when the process ends in any way. Lock returns a *RunningError if another
// process holds the lock.
func Lock(pidFile string) (*PidLock, error) {
	for try := 0; ; try++ {
		lock, err := tryLock(pidFile)
		if err != nil {
			return nil, fmt.Errorf("lock pid file %s: %w", pidFile, err)
		}
		if lock != nil {
			return lock, nil
		}
		if try == lockTries {
			return nil, &RunningError{PID: readPID(pidFile)}
		}
		<-time.After(lockPause)
	}
}

// tryLock returns nil if another process holds the lock, or replaced the file
// meanwhile.
func tryLock(pidFile string) (*PidLock, error) {
	f, err := os.OpenFile(pidFile, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return lockOpened(f, pidFile)
}

// lockOpened locks a pid file that was opened, or closes it.
func lockOpened(f *os.File, pidFile string) (*PidLock, error) {
	held, err := flock(f, syscall.LOCK_EX)
	if err == nil && held {
		// An ending daemon may have removed the file between open and lock.
		held, err = isFileAt(f, pidFile)
	}
	if err == nil && held {
		err = writePID(f)
	}
	if err != nil || !held {
		return nil, errors.Join(err, f.Close())
	}
	return &PidLock{file: f}, nil
}

// Release removes the pid file, unless another process has replaced it, and releases
// the lock.
func (l *PidLock) Release() error {
	if l.isRemoved() {
		return l.file.Close()
	}
	// The file is removed first. A process that has opened it and then gets the lock
	// notices that the file is no longer at the path.
	err := os.Remove(l.file.Name())
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, l.file.Close())
}

// isRemoved reports whether the pid file was removed or replaced. It returns false if
// an error leaves this open.
func (l *PidLock) isRemoved() bool {
	same, err := isFileAt(l.file, l.file.Name())
	return err == nil && !same
}

// watchedInterval is the pause between two checks of a pid file that the kernel watches.
const watchedInterval = 30 * time.Second

// WaitLost returns nil when the pid file was removed or replaced, or the error of ctx if
// ctx ends first. The lock no longer excludes another daemon then. WaitLost checks the
// file at the given interval, and returns after two checks with the same result. Where
// the kernel reports changes of the file, WaitLost checks an unchanged file only every
// watchedInterval, so that an idle daemon is not woken up.
func (l *PidLock) WaitLost(ctx context.Context, every time.Duration) error {
	changes, stop := watchFile(l.file.Name())
	defer stop()
	pause := every
	for before := false; ; {
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-changes:
		case <-timer.C:
		}
		timer.Stop()
		now := l.isRemoved()
		if now && before {
			return nil
		}
		before, pause = now, every
		if changes != nil && !now {
			pause = max(every, watchedInterval)
		}
	}
}

// Running reports whether a daemon is running, and its pid (0 if it has not written it
// yet). It tests the lock and not the pid. So a stale file or a reused pid does not
// count as a daemon, and a hung daemon does.
func Running(pidFile string) (pid int, running bool, err error) {
	f, err := os.Open(pidFile)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("open pid file: %w", err)
	}
	defer f.Close()
	free, err := flock(f, syscall.LOCK_SH)
	if err != nil {
		return 0, false, fmt.Errorf("test the lock of pid file %s: %w", pidFile, err)
	}
	if free {
		return 0, false, nil
	}
	return readPID(pidFile), true, nil
}

// flock tries to lock a file without waiting, and reports whether it succeeded.
func flock(f *os.File, how int) (bool, error) {
	for {
		err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, nil
		case !errors.Is(err, syscall.EINTR):
			return false, err
		}
	}
}

func isFileAt(f *os.File, path string) (bool, error) {
	mine, err := f.Stat()
	if err != nil {
		return false, err
	}
	there, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return os.SameFile(mine, there), nil
}

func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// readPID returns the pid in the file, or 0 if there is none.
func readPID(pidFile string) int {
	f, err := os.Open(pidFile)
	if err != nil {
		return 0
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 32))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid < 1 {
		return 0
	}
	return pid
}
