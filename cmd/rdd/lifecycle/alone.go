package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// nameless is how long a process may hold the instance before it says what it is.
const nameless = 3 * time.Second

// alone does something while no daemon can start and no other command does the
// like. On a disk that is full or read-only no daemon can start anyway, and there
// is no lock to be had. The error wraps an *instance.RunningError when there is a
// daemon.
func (m *Manager) alone(ctx context.Context, patience time.Duration, doing string, do func() error) error {
	for {
		lock, err := instance.Lock(m.Instance.PidFile)
		if _, held := errors.AsType[*instance.RunningError](err); held {
			_, running, lookErr := m.daemon(ctx, patience)
			switch {
			case lookErr != nil:
				return lookErr
			case ctx.Err() != nil:
				return ctx.Err()
			case running:
				return fmt.Errorf("%w; it was started meanwhile, try again", err)
			}
			continue
		}
		if err != nil {
			return do()
		}
		self, _ := process.Find(os.Getpid())
		// Without it others would take this process for a daemon that does not
		// answer, which is no reason not to go on.
		_ = m.Instance.SaveRun(instance.Run{PID: os.Getpid(), Process: self.Start, Started: time.Now(), Doing: doing})
		return errors.Join(do(), lock.Release())
	}
}

// forever is the patience of those who have a context that ends.
const forever = time.Duration(math.MaxInt64)

// daemon says whether a daemon holds the instance. Another command that holds it
// is waited for. One that has just taken the lock has not said yet what it is.
func (m *Manager) daemon(ctx context.Context, patience time.Duration) (pid int, running bool, err error) {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	begun, holder, since := time.Now(), 0, time.Now()
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
		case run.Version != "", time.Since(since) >= nameless:
			return pid, true, nil
		case run.Doing != "" && time.Since(begun) >= patience:
			return 0, false, fmt.Errorf("another command (pid %d) has been %s since %s; try again when it has ended", pid, run.Doing, run.Started.Format(time.TimeOnly))
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
