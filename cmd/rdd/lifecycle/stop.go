package lifecycle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// How long a daemon that did not follow a shutdown request has to end after a
// signal.
const (
	termGrace = 5 * time.Second
	killGrace = 5 * time.Second
)

// stopTries is the number of daemons that Stop stops if other commands keep
// starting them.
const stopTries = 3

// StopOptions are the options of Stop.
type StopOptions struct {
	// KeepEngine keeps the engine running; the next daemon adopts it.
	KeepEngine bool
	// Timeout is how long a daemon can take after it accepted the request.
	Timeout time.Duration
}

// Stop stops the daemon and, unless KeepEngine is set, the engine. It reports
// whether a daemon was running.
//
// A daemon that has ended may have left its engine running: it was killed, it
// failed, or another command requested to keep the engine. So Stop checks for an
// engine in any case, which takes milliseconds if none runs. If another command
// starts a daemon meanwhile, that daemon has adopted the engine, and is stopped
// too.
func (m *Manager) Stop(ctx context.Context, options StopOptions) (wasRunning bool, err error) {
	orphan, err := m.stopOrphans(ctx, options.Timeout)
	if err != nil {
		return orphan, err
	}
	wasRunning = orphan
	for try := 1; ; try++ {
		ran, err := m.stopOnce(ctx, options, orphan)
		wasRunning = wasRunning || ran
		if _, another := errors.AsType[*instance.RunningError](err); !another || try == stopTries {
			return wasRunning, err
		}
	}
}

// stopOnce is one attempt of Stop. After an orphan it checks for an engine even if
// the instance's directories are gone, because the orphan may have been killed.
func (m *Manager) stopOnce(ctx context.Context, options StopOptions, orphan bool) (wasRunning bool, err error) {
	pid, running, err := m.daemon(ctx, options.Timeout)
	if err != nil {
		return false, err
	}
	clean := false
	if running {
		if clean, err = m.shutDown(ctx, pid, options); err != nil {
			return true, err
		}
	}
	if options.KeepEngine || !orphan && !m.Instance.Exists() {
		return running, nil
	}
	if running && !clean {
		m.Report("stopping the engine that the daemon left running")
	}
	return running, m.withInstanceLock(ctx, options.Timeout, "stopping the engine", func() error {
		if err := m.Engine.Stop(ctx); err != nil {
			return fmt.Errorf("stop the engine: %w", err)
		}
		return nil
	})
}

// shutDown stops the daemon. clean reports whether it followed the request, so that
// no signal killed it.
func (m *Manager) shutDown(ctx context.Context, pid int, options StopOptions) (clean bool, err error) {
	m.Report(fmt.Sprintf("stopping the daemon (pid %d)", pid))
	if err := m.requestShutdown(ctx, options.KeepEngine); err != nil && !isDisconnect(err) {
		m.Report(fmt.Sprintf("the daemon (pid %d) does not answer (%v); stopping it with a signal", pid, err))
		// SIGTERM makes the daemon stop its engine as well.
		if !options.KeepEngine {
			clean, err := m.signal(ctx, pid, syscall.SIGTERM, cmp.Or(m.termGrace, termGrace))
			if clean || err != nil {
				return clean, err
			}
		}
		return false, m.kill(ctx, pid)
	}
	gone, err := m.goneWithin(ctx, options.Timeout)
	if gone || err != nil {
		return gone, err
	}
	if doing := m.stoppingEngine(ctx); doing != "" {
		return false, &StillStoppingError{PID: pid, After: options.Timeout, Doing: doing}
	}
	m.Report(fmt.Sprintf("the daemon (pid %d) did not end within %s; killing it", pid, options.Timeout))
	return false, m.kill(ctx, pid)
}

// StillStoppingError reports that a daemon is still stopping its engine when the
// timeout passes. It wraps context.DeadlineExceeded.
type StillStoppingError struct {
	PID   int
	After time.Duration
	// Doing is what the daemon is waiting for.
	Doing string
}

func (e *StillStoppingError) Error() string {
	return fmt.Sprintf("the daemon (pid %d) is still stopping its engine after %s: %s; the daemon ends when that is done", e.PID, e.After, e.Doing)
}

// Unwrap returns context.DeadlineExceeded.
func (*StillStoppingError) Unwrap() error { return context.DeadlineExceeded }

// stoppingEngine returns what the daemon reports while it stops its engine. It is
// empty if the daemon does not answer, or is not stopping its engine.
func (m *Manager) stoppingEngine(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(m.probeTimeout, probeTimeout))
	defer cancel()
	c, err := client.New(m.Instance)
	if err != nil {
		return ""
	}
	app, err := c.App(ctx)
	if err != nil {
		return ""
	}
	running := meta.FindStatusCondition(app.Status.Conditions, appv1.ConditionRunning)
	if running == nil || running.Reason != appv1.ReasonStopping {
		return ""
	}
	return running.Message
}

// isDisconnect reports whether the connection broke after the request was sent. A
// daemon that shuts down can end before its answer arrives.
func isDisconnect(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// requestShutdown sends the shutdown request.
func (m *Manager) requestShutdown(ctx context.Context, keepEngine bool) error {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(m.probeTimeout, probeTimeout))
	defer cancel()
	c, err := client.New(m.Instance)
	if err != nil {
		return err
	}
	return c.Shutdown(ctx, keepEngine)
}

// kill kills the daemon.
func (m *Manager) kill(ctx context.Context, pid int) error {
	gone, err := m.signal(ctx, pid, syscall.SIGKILL, killGrace)
	if err == nil && !gone {
		return fmt.Errorf("the daemon (pid %d) still exists %s after SIGKILL: it may hang in the kernel; see 'ps -o stat,wchan %d'", pid, killGrace, pid)
	}
	return err
}

// signal sends a signal, and reports whether the daemon ended within grace.
func (m *Manager) signal(ctx context.Context, pid int, signal syscall.Signal, grace time.Duration) (bool, error) {
	now, running, err := instance.Running(m.Instance.PidFile)
	if err != nil || !running {
		return true, err
	}
	if pid <= 0 {
		return false, fmt.Errorf("%s is locked, but has no process ID yet: retry; if that does not help, end the process that 'lsof %[1]s' lists", m.Instance.PidFile)
	}
	if now != pid { // another process holds the lock, so the daemon has ended
		return true, nil
	}
	daemon, alive := process.Find(pid)
	if !alive { // its lock can outlive it for a moment
		if gone, err := m.goneWithin(ctx, time.Second); gone || err != nil {
			return gone, err
		}
	}
	run := m.Instance.LoadRun(pid) // empty if the record is of another pid; an older rdd recorded no start time
	if !alive || run.Version == "" || run.Process != 0 && run.Process != daemon.Start {
		// The process that holds the lock is not the one in the file.
		return false, fmt.Errorf("%s is locked, but its process %d is not a daemon of this instance, so rdd sends it no signal: end the process that 'lsof %[1]s' lists, and retry", m.Instance.PidFile, pid)
	}
	if err := daemon.Signal(signal); err != nil && !errors.Is(err, syscall.ESRCH) {
		return false, fmt.Errorf("send %s to the daemon (pid %d): %w", signal, pid, err)
	}
	return m.goneWithin(ctx, grace)
}

// goneWithin waits until the daemon has ended, and reports whether it did within
// timeout. It returns an error if ctx ends first.
func (m *Manager) goneWithin(ctx context.Context, timeout time.Duration) (bool, error) {
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	gone, err := m.gone(bounded)
	if err == nil && !gone {
		err = ctx.Err()
	}
	return gone, err
}
