package lifecycle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

// Exists reports whether the instance has files, or a daemon or an engine that runs: a
// user can remove the directories while they run.
func (m *Manager) Exists(ctx context.Context) (bool, error) {
	if m.Instance.HasFiles() || len(instance.Orphans(m.Instance.PidFile)) > 0 {
		return true, nil
	}
	return m.Engine.Runs(ctx)
}

// Delete stops everything and removes all files of the instance. It keeps, and
// returns, the targets of links that the user made.
func (m *Manager) Delete(ctx context.Context, timeout time.Duration) (left []string, err error) {
	_, err = m.wipe(ctx, timeout, func(linked []string) error {
		more, err := m.Instance.Remove()
		left = slices.Concat(linked, more)
		return err
	})
	return left, err
}

// Reset removes the datastore and the engine, and keeps certificates and
// arguments. It reports whether a daemon was running.
func (m *Manager) Reset(ctx context.Context, timeout time.Duration) (wasRunning bool, err error) {
	wasRunning, err = m.wipe(ctx, timeout, func(linked []string) error {
		for _, path := range linked {
			m.Report("not removed, because it is the target of a link: " + path)
		}
		if err := m.Instance.RemoveData(); err != nil || m.Renew == nil {
			return err
		}
		return m.Renew(m.Instance)
	})
	if err != nil {
		return wasRunning, err
	}
	return wasRunning, m.Create()
}

// wipe stops the daemon, and under the instance's lock removes the engine, then the
// files. An engine can run although the instance's directories are gone: a user
// removed them, and the daemon was killed. remove gets the targets of links in the
// engine's data, which cannot be found any more when that is gone.
func (m *Manager) wipe(ctx context.Context, timeout time.Duration, remove func(linked []string) error) (wasRunning bool, err error) {
	// Engine.Delete stops the engine, without waiting for its containers.
	wasRunning, err = m.Stop(ctx, StopOptions{Timeout: timeout, KeepEngine: true})
	if err != nil {
		return wasRunning, err
	}
	return wasRunning, m.withInstanceLock(ctx, timeout, "removing the engine", func() error {
		if err := m.Instance.CheckRemovable(); err != nil {
			return err
		}
		linked := m.Instance.LinkedData()
		m.Report("removing the engine and its data")
		if err := m.Engine.Delete(ctx); err != nil {
			return fmt.Errorf("remove the engine: %w", err)
		}
		m.Report("removing files")
		return remove(linked)
	})
}

// orphanGrace is how long a process whose pid file was removed has to end before it
// gets a signal. A daemon notices the removal within seconds. A command that deletes
// the instance removes its own pid file.
const orphanGrace = 10 * time.Second

// stopOrphans stops daemons whose pid file was removed, for example by a user who
// removed the instance's directories. It reports whether it found one. Such a
// daemon stops its engine too, unless it is killed.
func (m *Manager) stopOrphans(ctx context.Context, timeout time.Duration) (found bool, err error) {
	for _, p := range instance.Orphans(m.Instance.PidFile) {
		found = true
		m.Report(fmt.Sprintf("waiting for process %d to end, whose pid file was removed", p.PID))
		if p.WaitFor(ctx, cmp.Or(m.orphanGrace, orphanGrace)) == nil {
			continue
		}
		err := p.Signal(syscall.SIGTERM)
		if err == nil && p.WaitFor(ctx, timeout) != nil && ctx.Err() == nil {
			m.Report(fmt.Sprintf("killing process %d, which does not end", p.PID))
			err = errors.Join(p.Signal(syscall.SIGKILL), p.WaitFor(ctx, killGrace))
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return true, fmt.Errorf("stop the daemon (pid %d), whose pid file was removed: %w", p.PID, err)
		}
	}
	return found, nil
}
