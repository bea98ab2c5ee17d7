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

// How often and how long Lock tries: Running holds the lock for microseconds
// while it looks, and that must not make a daemon refuse to start.
const (
	lockTries = 20
	lockPause = 5 * time.Millisecond
)

// RunningError says that another daemon holds the instance.
type RunningError struct {
	// PID of the other daemon; 0 when it has not written it yet.
	PID int
}

func (e *RunningError) Error() string {
	if e.PID == 0 {
		return "another daemon of this instance is just starting"
	}
	return fmt.Sprintf("the daemon of this instance runs already, with pid %d", e.PID)
}

// PidLock is a held pid file.
type PidLock struct {
	file *os.File
}

// Lock takes the pid file and writes the caller's pid into it. The kernel drops
// the lock when the process ends, however it ends. It returns a *RunningError
// when another process holds the file.
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

// tryLock returns nothing when the file is held by another process, or was
// replaced while it was being locked.
func tryLock(pidFile string) (*PidLock, error) {
	f, err := os.OpenFile(pidFile, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	held, err := flock(f, syscall.LOCK_EX)
	if err == nil && held {
		// A daemon that ended may have removed the file between open and lock.
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

// Release removes the pid file, unless another process has replaced it, and gives
// the lock back.
func (l *PidLock) Release() error {
	if l.lost() {
		return l.file.Close()
	}
	// Removed first: who opens the old file later finds that it is no longer there.
	err := os.Remove(l.file.Name())
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, l.file.Close())
}

// lost reports whether the pid file was removed or replaced. An error is no proof.
func (l *PidLock) lost() bool {
	same, err := isFileAt(l.file, l.file.Name())
	return err == nil && !same
}

// WaitLost returns nil when the pid file has been removed or replaced for two looks
// in a row, and the error of ctx when that ends first. The holder keeps nobody else
// out any more then.
func (l *PidLock) WaitLost(ctx context.Context, every time.Duration) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for before := false; ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		now := l.lost()
		if now && before {
			return nil
		}
		before = now
	}
}

// Running says whether a daemon holds the pid file, and its pid (0 when it has
// not written it yet). It asks for the lock and not for the pid, so neither a
// file left behind nor a recycled pid is taken for a daemon, and a hung daemon is.
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

// flock takes a lock without waiting and says whether it got it.
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

// readPID returns 0 when there is no pid to read.
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
