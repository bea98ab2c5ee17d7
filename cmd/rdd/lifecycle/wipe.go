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

// Delete ends everything and removes every file of the instance. left are paths
// behind links that the user made, which stay.
func (m *Manager) Delete(ctx context.Context, patience time.Duration) (left []string, err error) {
	_, err = m.wipe(ctx, patience, func(linked []string) error {
		more, err := m.Instance.Remove()
		left = slices.Concat(linked, more)
		return err
	})
	return left, err
}

// Reset removes the datastore and the engine, and keeps certificates and
// arguments. It reports whether a daemon ran.
func (m *Manager) Reset(ctx context.Context, patience time.Duration) (wasRunning bool, err error) {
	wasRunning, err = m.wipe(ctx, patience, func(linked []string) error {
		for _, path := range linked {
			m.Report("left, since it was behind a link: " + path)
		}
		return m.Instance.RemoveData()
	})
	if err != nil {
		return wasRunning, err
	}
	return wasRunning, m.Create()
}

// wipe ends the daemon, keeps another one from starting, and removes the engine
// and then the files. An engine can run although the instance's directories are
// gone: the user removed them, and the daemon was killed. remove gets the targets of
// links in the engine's data, which are not known any more once it is removed.
func (m *Manager) wipe(ctx context.Context, patience time.Duration, remove func(linked []string) error) (wasRunning bool, err error) {
	// Delete ends the engine too, and does not wait for containers whose data goes.
	wasRunning, err = m.Stop(ctx, StopOptions{Patience: patience, KeepEngine: true})
	if err != nil {
		return wasRunning, err
	}
	return wasRunning, m.alone(ctx, patience, "removing the engine", func() error {
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

// orphanGrace is how long a process whose pid file was removed may take to end by
// itself. A daemon notices within seconds; a command that deletes the instance
// removes its own pid file.
const orphanGrace = 10 * time.Second

// endOrphans ends the daemons whose pid file was removed, as when a user removed
// the instance's directories by hand, and waits for them. It reports whether there
// was one. Such a daemon ends its engine too, unless it is killed.
func (m *Manager) endOrphans(ctx context.Context, patience time.Duration) (found bool, err error) {
	for _, p := range instance.Orphans(m.Instance.PidFile) {
		found = true
		m.Report(fmt.Sprintf("waiting for process %d, whose pid file was removed, to end", p.PID))
		if p.WaitFor(ctx, cmp.Or(m.orphanGrace, orphanGrace)) == nil {
			continue
		}
		err := p.Signal(syscall.SIGTERM)
		if err == nil && p.WaitFor(ctx, patience) != nil && ctx.Err() == nil {
			m.Report(fmt.Sprintf("killing process %d, which does not end", p.PID))
			err = errors.Join(p.Signal(syscall.SIGKILL), p.WaitFor(ctx, killGrace))
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return true, fmt.Errorf("end the daemon (pid %d) whose pid file was removed: %w", p.PID, err)
		}
	}
	return found, nil
}
