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

// diedLines is how many lines of the log are shown of a daemon that died.
const diedLines = 20

// DiedError says that the daemon ended before it was ready.
type DiedError struct {
	// Cause is how it ended.
	Cause string
	// Log holds the last lines it wrote.
	Log string
	// Path of the log.
	Path string
}

func (e *DiedError) Error() string {
	text := "the daemon ended before it was ready: " + e.Cause
	if e.Log != "" {
		text += "\nlast lines of its log:\n  " + strings.ReplaceAll(strings.TrimRight(e.Log, "\n"), "\n", "\n  ")
	}
	return text + "\nmore is in " + e.Path
}

// NotReadyError says that a daemon did not become ready in time. It is a
// context.DeadlineExceeded.
type NotReadyError struct {
	PID int
	// Last says what was still missing.
	Last error
}

func (e *NotReadyError) Error() string {
	state := "the daemon is still starting"
	if e.PID != 0 && e.Last != nil {
		state = fmt.Sprintf("the daemon (pid %d) runs but is not ready: %v", e.PID, e.Last)
	}
	return "the deadline passed: " + state +
		"; see 'rdd svc logs', and if it hangs end it with 'rdd svc stop', or replace it with 'rdd svc restart'"
}

// Unwrap makes it a deadline that passed.
func (*NotReadyError) Unwrap() error { return context.DeadlineExceeded }

// HungError says that a daemon takes connections and does not answer.
type HungError struct {
	PID int
	// Silent is how long nothing was heard from it.
	Silent time.Duration
}

func (e *HungError) Error() string {
	return fmt.Sprintf("the daemon (pid %d) has not answered for %s: 'rdd svc logs' shows what it did last, 'rdd svc restart' replaces it and leaves the engine running",
		e.PID, e.Silent.Round(time.Second))
}

// Start brings the daemon up, if none runs, and waits until it is ready. It
// reports whether it started one. The arguments are kept for later starts. Another
// command that keeps daemons away is waited for.
func (m *Manager) Start(ctx context.Context, args instance.Args) (c *client.Client, started bool, err error) {
	keep := func() error { return m.Instance.SaveArgs(args) }
	return m.up(ctx, keep, func() (instance.Args, error) { return args, nil })
}

// Connect returns a client for the daemon that runs, and neither reads nor writes
// its arguments: what frees a full disk must reach it. When none runs, Connect
// starts one with the arguments that load returns.
func (m *Manager) Connect(ctx context.Context, load func() (instance.Args, error)) (*client.Client, error) {
	c, _, err := m.up(ctx, func() error { return nil }, load)
	return c, err
}

// orphanPatience is how long a daemon whose pid file was removed may take to stop
// its engine before it is killed.
const orphanPatience = time.Minute

// up returns a client for the daemon, which is started when none runs. For one
// that runs already, it calls found first.
func (m *Manager) up(ctx context.Context, found func() error, load func() (instance.Args, error)) (c *client.Client, started bool, err error) {
	for {
		_, running, err := m.daemon(ctx, forever)
		if err != nil {
			return nil, false, err
		}
		if running {
			if err := found(); err != nil {
				return nil, false, err
			}
			// A daemon that was just killed looks alive until the kernel has removed
			// it. That is no reason not to start another.
			if c, err = m.ready(ctx, nil); !errors.Is(err, client.ErrDaemonEnded) {
				return c, false, err
			}
		}
		args, err := load()
		if err != nil {
			return nil, false, err
		}
		if _, err := m.endOrphans(ctx, orphanPatience); err != nil {
			return nil, false, err
		}
		c, err := m.startOne(ctx, args)
		// The process that held the instance instead has gone.
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
	// where its output begins
	logFrom, stderrFrom int64
}

// spawn starts the daemon apart from this process: it inherits no descriptor, and
// neither the end of the terminal nor a Ctrl-C reaches it.
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

// ready waits until the daemon is ready. A child that ends because another
// daemon was quicker is no failure, but its end is waited for: it could still
// take the place of the other one, were that to be stopped now.
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
			ready, last = m.probe(ctx)
			if last == nil && (ended == nil || pid == c.pid) {
				return ready, nil
			}
			if hung := silence.heard(m.Instance.LoadRun(pid), began, last, ctx.Err()); hung != nil {
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

// HungAfter is how long every command waits for a daemon that takes connections
// and does not answer. startingFor is how long after its start a daemon is not
// taken for one that hangs: its port accepts before it serves.
const (
	HungAfter   = 3 * time.Second
	startingFor = 10 * time.Second
)

// silence is the time during which a daemon took connections and did not answer.
type silence struct{ since time.Time }

// heard takes the result of a probe that began at a time, and returns a
// *HungError when the daemon has been silent for too long. ended is the error of
// the caller's own context, whose end says nothing of the daemon.
func (s *silence) heard(run instance.Run, began time.Time, probe, ended error) error {
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

// probe asks the daemon once. The kubeconfig is read each time, because a
// daemon that starts may write another port into it.
func (m *Manager) probe(ctx context.Context) (*client.Client, error) {
	c, err := client.New(m.Instance)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(m.probeTimeout, probeTimeout))
	defer cancel()
	return c, c.Ready(ctx)
}

func (m *Manager) died(c *child, cause error) error {
	died := &DiedError{Cause: "it ended by itself", Path: m.Log()}
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
