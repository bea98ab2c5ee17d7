package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// holderGrace is how long a process can hold the lock before it records what it is.
const holderGrace = 3 * time.Second

// Exclusively runs do while no daemon runs and no other command changes the instance.
// doing is what other commands report meanwhile. The error wraps an
// *instance.RunningError if a daemon is running.
func (m *Manager) Exclusively(ctx context.Context, doing string, do func() error) error {
	return m.withInstanceLock(ctx, noTimeout, doing, do)
}

// lockAttempts limits the attempts to lock an instance without a directory.
const lockAttempts = 10

// withInstanceLock runs do while it holds the instance's lock, so that no daemon
// starts and no other command does the same. doing is what other commands report
// meanwhile. On a full or read-only disk the lock is not available; then do runs
// without it, because no daemon can start there either. Without the lock for another
// reason, withInstanceLock returns an error. It wraps an *instance.RunningError if a
// daemon is running.
func (m *Manager) withInstanceLock(ctx context.Context, timeout time.Duration, doing string, do func() error) error {
	for attempt := 1; ; attempt++ {
		release, err := m.lock()
		if errors.Is(err, fs.ErrNotExist) && attempt < lockAttempts {
			continue // another command has removed the directory that it had created
		}
		if _, held := errors.AsType[*instance.RunningError](err); held {
			_, running, daemonErr := m.daemon(ctx, timeout)
			switch {
			case daemonErr != nil:
				return daemonErr
			case ctx.Err() != nil:
				return ctx.Err()
			case running:
				return fmt.Errorf("%w: another command has just started the daemon: retry", err)
			}
			continue
		}
		if instance.IsDiskUnwritable(err) {
			return do()
		}
		if err != nil {
			return fmt.Errorf("%s needs the instance's lock, so that no daemon starts meanwhile: %w: make the file and its directory accessible to yourself, and retry", doing, err)
		}
		self, _ := process.Find(os.Getpid())
		// Without this record other commands take this process for a daemon that does
		// not answer. That is no reason to fail.
		_ = m.Instance.SaveRun(instance.Run{PID: os.Getpid(), Process: self.Start, Started: time.Now(), Doing: doing})
		return errors.Join(do(), release())
	}
}

// lock locks the instance. A user may have removed its directory. The next daemon would
// create it, and not exclude a command without a lock, so lock creates it until release.
func (m *Manager) lock() (release func() error, err error) {
	lock, err := instance.Lock(m.Instance.PidFile)
	if !errors.Is(err, fs.ErrNotExist) {
		return lock.Release, err
	}
	if err := m.Instance.CreateDir(); err != nil {
		return nil, err
	}
	lock, err = instance.Lock(m.Instance.PidFile)
	return func() error { return m.Instance.ReleaseDir(lock) }, err
}

// noTimeout is the timeout of callers whose context has a deadline.
const noTimeout = time.Duration(math.MaxInt64)

// daemon reports whether a daemon holds the instance's lock. It waits for another
// command that holds it, and for a process that has not yet recorded what it is.
func (m *Manager) daemon(ctx context.Context, timeout time.Duration) (pid int, running bool, err error) {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	started, holder, since := time.Now(), 0, time.Now()
	for {
		pid, running, err = instance.Running(m.Instance.PidFile)
		if err != nil || !running {
			return 0, false, err
		}
		run := m.Instance.LoadRun(pid)
		if pid != holder || run.Doing != "" {
			holder, since = pid, time.Now()
		}
		switch {
		case run.Version != "", time.Since(since) >= holderGrace:
			return pid, true, nil
		case run.Doing != "" && time.Since(started) >= timeout:
			return 0, false, fmt.Errorf("another command (pid %d) has been %s since %s: retry when it has ended", pid, run.Doing, run.Started.Format(time.TimeOnly))
		case run.Doing != "":
			m.Report(fmt.Sprintf("waiting for another command (pid %d), which is %s", pid, run.Doing))
		}
		select {
		case <-ctx.Done():
			if run.Doing != "" {
				return 0, false, fmt.Errorf("another command (pid %d) is still %s: %w", pid, run.Doing, ctx.Err())
			}
			return 0, false, ctx.Err()
		case <-ticker.C:
		}
	}
}
