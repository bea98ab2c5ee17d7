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

// How long a daemon that did not do what it was asked may take to end after a
// signal.
const (
	termGrace = 5 * time.Second
	killGrace = 5 * time.Second
)

// stopTries is how many daemons a stop ends that others start meanwhile.
const stopTries = 3

// StopOptions say how to end a daemon.
type StopOptions struct {
	// KeepEngine leaves the engine running, for the next daemon to adopt.
	KeepEngine bool
	// Patience is how long a daemon that has taken the request may take.
	Patience time.Duration
}

// Stop ends the daemon, and the engine unless that is to be kept, also one that
// a daemon left running. It says whether there was a daemon.
//
// That a daemon has taken the request and is gone says nothing of its engine: it
// may have been killed or have failed on the way, or another command may have
// told it before to keep the engine. So the engine is looked for in any case,
// which takes milliseconds when it has ended. A daemon that somebody started
// before that has taken it up, and is ended too.
func (m *Manager) Stop(ctx context.Context, options StopOptions) (wasRunning bool, err error) {
	orphan, err := m.endOrphans(ctx, options.Patience)
	if err != nil {
		return orphan, err
	}
	wasRunning = orphan
	for try := 1; ; try++ {
		ran, err := m.stop(ctx, options, orphan)
		wasRunning = wasRunning || ran
		if _, another := errors.AsType[*instance.RunningError](err); !another || try == stopTries {
			return wasRunning, err
		}
	}
}

// stop is one try of Stop. After an orphan the engine is looked for although the
// instance's directories are gone: the orphan may have been killed.
func (m *Manager) stop(ctx context.Context, options StopOptions, orphan bool) (wasRunning bool, err error) {
	pid, running, err := m.daemon(ctx, options.Patience)
	if err != nil {
		return false, err
	}
	clean := false
	if running {
		if clean, err = m.end(ctx, pid, options); err != nil {
			return true, err
		}
	}
	if options.KeepEngine || !orphan && !m.Instance.Exists() {
		return running, nil
	}
	if running && !clean {
		m.Report("stopping the engine that the daemon left running")
	}
	return running, m.alone(ctx, options.Patience, "stopping the engine", func() error {
		if err := m.Engine.Stop(ctx); err != nil {
			return fmt.Errorf("stop the engine: %w", err)
		}
		return nil
	})
}

// end ends the daemon and says whether it ended by itself, as it was asked to.
func (m *Manager) end(ctx context.Context, pid int, options StopOptions) (clean bool, err error) {
	m.Report(fmt.Sprintf("stopping the daemon (pid %d)", pid))
	if err := m.ask(ctx, options.KeepEngine); err != nil && !brokenOff(err) {
		m.Report(fmt.Sprintf("the daemon (pid %d) does not answer (%v); ending it with a signal", pid, err))
		// SIGTERM asks for the engine to be stopped as well.
		if !options.KeepEngine {
			clean, err := m.signal(ctx, pid, syscall.SIGTERM, cmp.Or(m.termGrace, termGrace))
			if clean || err != nil {
				return clean, err
			}
		}
		return false, m.kill(ctx, pid)
	}
	gone, err := m.goneWithin(ctx, options.Patience)
	if gone || err != nil {
		return gone, err
	}
	if doing := m.stoppingEngine(ctx); doing != "" {
		return false, &StillStoppingError{PID: pid, After: options.Patience, Doing: doing}
	}
	m.Report(fmt.Sprintf("the daemon (pid %d) did not end within %s; killing it", pid, options.Patience))
	return false, m.kill(ctx, pid)
}

// StillStoppingError says that a daemon which is asked to end still stops its
// engine. It is a context.DeadlineExceeded.
type StillStoppingError struct {
	PID   int
	After time.Duration
	// Doing is what the daemon waits for.
	Doing string
}

func (e *StillStoppingError) Error() string {
	return fmt.Sprintf("the daemon (pid %d) still stops its engine after %s: %s; it ends by itself when that is done", e.PID, e.After, e.Doing)
}

// Unwrap makes it a deadline that passed.
func (*StillStoppingError) Unwrap() error { return context.DeadlineExceeded }

// stoppingEngine is what a daemon that is asked to end says of the stop of its
// engine; empty when it does not answer, or does something else.
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

// brokenOff is whether the connection broke after the request was sent: a daemon
// that takes a request to end may be gone before its answer arrives.
func brokenOff(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

func (m *Manager) ask(ctx context.Context, keepEngine bool) error {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(m.probeTimeout, probeTimeout))
	defer cancel()
	c, err := client.New(m.Instance)
	if err != nil {
		return err
	}
	return c.Shutdown(ctx, keepEngine)
}

func (m *Manager) kill(ctx context.Context, pid int) error {
	gone, err := m.signal(ctx, pid, syscall.SIGKILL, killGrace)
	if err == nil && !gone {
		return fmt.Errorf("the daemon (pid %d) is still there %s after it was killed; it may be stuck in the kernel, see 'ps -o stat,wchan %d'", pid, killGrace, pid)
	}
	return err
}

// signal sends a signal and says whether the daemon was gone within grace.
func (m *Manager) signal(ctx context.Context, pid int, signal syscall.Signal, grace time.Duration) (bool, error) {
	now, running, err := instance.Running(m.Instance.PidFile)
	if err != nil || !running {
		return true, err
	}
	if pid <= 0 {
		return false, fmt.Errorf("%s is locked, and names no process yet; if that stays so, 'lsof %[1]s' says who holds it: end that, and try again", m.Instance.PidFile)
	}
	if now != pid {
		return false, fmt.Errorf("another daemon (pid %d) was started meanwhile; try again", now)
	}
	daemon, alive := process.Find(pid)
	if !alive { // it may be ending just now
		if gone, err := m.goneWithin(ctx, time.Second); gone || err != nil {
			return gone, err
		}
	}
	run := m.Instance.LoadRun(pid) // without a version it is not of this pid; an older rdd kept no process
	if !alive || run.Version == "" || run.Process != 0 && run.Process != daemon.Start {
		// Whoever holds the lock, it is not what the file names.
		return false, fmt.Errorf("%s is locked, but process %d, which it names, is no daemon of this instance and gets no signal; 'lsof %[1]s' says who holds it: end that, and try again", m.Instance.PidFile, pid)
	}
	if err := daemon.Signal(signal); err != nil && !errors.Is(err, syscall.ESRCH) {
		return false, fmt.Errorf("send %s to the daemon (pid %d): %w", signal, pid, err)
	}
	return m.goneWithin(ctx, grace)
}

// goneWithin waits for the daemon's end. An error says that ctx ended first.
func (m *Manager) goneWithin(ctx context.Context, patience time.Duration) (bool, error) {
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	gone, err := m.gone(bounded)
	if err == nil && !gone {
		err = ctx.Err()
	}
	return gone, err
}
