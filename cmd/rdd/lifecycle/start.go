package lifecycle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/logtail"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// diedLines is the number of log lines in a DiedError.
const diedLines = 20

// DiedError reports that the daemon ended before it was ready.
type DiedError struct {
	// Cause is how the daemon ended.
	Cause string
	// Log has the last lines that it wrote.
	Log string
	// Path is the path of the log.
	Path string
}

func (e *DiedError) Error() string {
	text := "the daemon ended before it was ready: " + e.Cause
	if e.Log != "" {
		text += "\nlast lines of its log:\n  " + strings.ReplaceAll(strings.TrimRight(e.Log, "\n"), "\n", "\n  ")
	}
	return text + "\nsee " + e.Path + " for more"
}

// NotReadyError reports that a daemon was not ready before the deadline. It wraps
// context.DeadlineExceeded.
type NotReadyError struct {
	PID int
	// Last is the error of the last readiness check.
	Last error
}

func (e *NotReadyError) Error() string {
	state := "the daemon is still starting"
	if e.PID != 0 && e.Last != nil {
		state = fmt.Sprintf("the daemon (pid %d) runs but is not ready: %v", e.PID, e.Last)
	}
	return "the deadline passed: " + state +
		": see 'rdd svc logs', and run 'rdd svc restart' if the daemon hangs"
}

// Unwrap returns context.DeadlineExceeded.
func (*NotReadyError) Unwrap() error { return context.DeadlineExceeded }

// HungError reports that a daemon accepts connections and does not answer.
type HungError struct {
	PID int
	// Silent is how long the daemon has not answered.
	Silent time.Duration
}

func (e *HungError) Error() string {
	return fmt.Sprintf("the daemon (pid %d) has not answered for %s: 'rdd svc logs' shows its last actions, and 'rdd svc restart' restarts it and keeps the engine running",
		e.PID, e.Silent.Round(time.Second))
}

// Start starts the daemon unless one runs, and waits until it is ready. It reports
// whether it started one, and saves the arguments for later starts. It waits for
// other commands that hold the instance's lock.
func (m *Manager) Start(ctx context.Context, args instance.Args) (c *client.Client, started bool, err error) {
	save := func() error { return m.Instance.SaveArgs(args) }
	return m.ensure(ctx, save, func() (instance.Args, error) { return args, nil })
}

// Connect returns a client for the running daemon. If none runs, Connect starts one
// with the arguments that load returns. For a running daemon it writes nothing, so
// that commands which free a full disk still work.
func (m *Manager) Connect(ctx context.Context, load func() (instance.Args, error)) (*client.Client, error) {
	c, _, err := m.ensure(ctx, func() error { return nil }, load)
	return c, err
}

// orphanTimeout bounds how long a daemon whose pid file was removed can take to
// stop its engine. After that it is killed.
const orphanTimeout = time.Minute

// ensure returns a client for the daemon, and starts one if none runs. For a
// running daemon it calls found first.
func (m *Manager) ensure(ctx context.Context, found func() error, load func() (instance.Args, error)) (c *client.Client, started bool, err error) {
	for {
		_, running, err := m.daemon(ctx, noTimeout)
		if err != nil {
			return nil, false, err
		}
		if running {
			if err := found(); err != nil {
				return nil, false, err
			}
			// A daemon that was just killed holds its lock until the kernel has removed
			// it. Then another one is started.
			if c, err = m.ready(ctx, nil); !errors.Is(err, client.ErrDaemonEnded) {
				return c, false, err
			}
		}
		args, err := load()
		if err != nil {
			return nil, false, err
		}
		if _, err := m.stopOrphans(ctx, orphanTimeout); err != nil {
			return nil, false, err
		}
		c, err := m.startOne(ctx, args)
		// Retry if another process held the lock, and has ended.
		if !errors.Is(err, client.ErrDaemonEnded) {
			return c, err == nil, err
		}
	}
}

func (m *Manager) startOne(ctx context.Context, args instance.Args) (*client.Client, error) {
	m.Report("starting the daemon")
	if err := m.Create(); err != nil {
		return nil, err
	}
	if err := m.Instance.SaveArgs(args); err != nil {
		return nil, err
	}
	child, err := m.spawn(args)
	if err != nil {
		return nil, err
	}
	return m.ready(ctx, child)
}

// child is a daemon that this process started.
type child struct {
	pid   int
	ended <-chan error
	// logFrom and stderrFrom are where its output begins.
	logFrom, stderrFrom int64
}

// spawn starts the daemon detached from this process: it inherits no descriptors,
// and gets no signals from the terminal.
func (m *Manager) spawn(args instance.Args) (*child, error) {
	stderr, from, err := m.stderr()
	if err != nil {
		return nil, err
	}
	defer stderr.Close()
	cmd := m.Command(args)
	cmd.Stdout, cmd.Stderr = stderr, stderr
	cmd.Dir = m.Instance.Dir
	c := &child{stderrFrom: from}
	if info, err := os.Stat(m.Log()); err == nil {
		c.logFrom = info.Size()
	}
	daemon, ended, err := process.Start(cmd)
	if err != nil {
		return nil, fmt.Errorf("start the daemon: %w", err)
	}
	c.pid, c.ended = daemon.PID, ended
	return c, nil
}

// ready waits until the daemon is ready. If another daemon got the lock first, the
// child ends, which is no failure. ready waits for that end: if the other daemon
// stopped now, the child could still get the lock.
func (m *Manager) ready(ctx context.Context, c *child) (*client.Client, error) {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	var ended <-chan error
	if c != nil {
		ended = c.ended
	}
	var last error
	var silence silence
	for {
		pid, running, err := instance.Running(m.Instance.PidFile)
		if err != nil {
			return nil, err
		}
		if running {
			var ready *client.Client
			began := time.Now()
			ready, last = m.probe(ctx, silence.left(began))
			if last == nil && (ended == nil || pid == c.pid) {
				return ready, nil
			}
			if hung := silence.observe(m.Instance.LoadRun(pid), began, last, ctx.Err()); hung != nil {
				return nil, hung
			}
			m.Report("waiting for the daemon to be ready")
		} else if ended == nil {
			return nil, client.ErrDaemonEnded
		}
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return nil, &NotReadyError{PID: pid, Last: last}
			}
			return nil, ctx.Err()
		case err := <-ended:
			if _, other, _ := instance.Running(m.Instance.PidFile); !other {
				return nil, m.died(c, err)
			}
			ended = nil
		case <-ticker.C:
		}
	}
}

// HungAfter is how long every command waits for a daemon that accepts connections
// and does not answer. A daemon younger than startingFor does not count as hung,
// because its port accepts connections before it serves.
const (
	HungAfter   = 3 * time.Second
	startingFor = 10 * time.Second
)

// silence measures for how long a daemon accepted connections without answering.
type silence struct{ since time.Time }

// observe records the result of a probe that began at began. It returns a
// *HungError if the daemon has been silent for too long. ended is the error of the
// caller's context: a probe that the caller ended says nothing about the daemon.
func (s *silence) observe(run instance.Run, began time.Time, probe, ended error) error {
	if isSilent := errors.Is(probe, context.DeadlineExceeded) && ended == nil; !isSilent {
		s.since = time.Time{}
		return nil
	}
	if s.since.IsZero() {
		s.since = began
	}
	if silent := time.Since(s.since); silent >= HungAfter && time.Since(run.Started) >= startingFor {
		return &HungError{PID: run.PID, Silent: silent}
	}
	return nil
}

// left returns for how long the daemon can still be silent before it counts as hung.
func (s *silence) left(now time.Time) time.Duration {
	if s.since.IsZero() {
		return HungAfter
	}
	return HungAfter - now.Sub(s.since)
}

// probe checks within limit whether the daemon is ready. It reads the kubeconfig each time,
// because a starting daemon can write another port into it.
func (m *Manager) probe(ctx context.Context, limit time.Duration) (*client.Client, error) {
	c, err := client.New(m.Instance)
	if err != nil {
		return nil, err
	}
	// A silent daemon that is starting has no limit.
	if timeout := cmp.Or(m.probeTimeout, probeTimeout); limit <= 0 || limit > timeout {
		limit = timeout
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return c, c.Ready(ctx)
}

// died returns the error for a child that ended before it was ready.
func (m *Manager) died(c *child, cause error) error {
	died := &DiedError{Cause: "exit status 0", Path: m.Log()}
	if cause != nil {
		died.Cause = cause.Error()
	}
	for _, log := range []struct {
		path string
		from int64
	}{{m.Log(), c.logFrom}, {filepath.Join(m.Instance.LogDir, StderrName), c.stderrFrom}} {
		var text strings.Builder
		if _, err := logtail.Last(log.path, log.from, diedLines, &text); err != nil {
			text.WriteString(err.Error())
		}
		died.Log += text.String()
	}
	return died
}
