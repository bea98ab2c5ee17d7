package native

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/probe"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

const (
	// startDeadline limits the wait for an engine to answer. An engine with many
	// containers to restore is slow; a broken one ends by itself.
	startDeadline = time.Minute
	// prepareWithin limits the steps before that wait: files, networks, firewall
	// rules, and the remains of a dead engine.
	prepareWithin = 45 * time.Second
	// pollEvery is the pause between two pings of a starting engine. A start takes
	// about half a second, so that a long pause would be noticeable.
	pollEvery = 10 * time.Millisecond
)

// Start implements vm.Driver.
func (d *Driver) Start(ctx context.Context, spec messages.VMSpec, progress func(string)) (string, error) {
	k, err := d.kind(spec.Engine)
	if err != nil {
		return "", err
	}
	if endpoint, err := d.takeOver(ctx, k, progress); err != nil || endpoint != "" {
		return endpoint, err
	}
	progress("starting " + k.program)
	key := missingKey(d.keyFile())
	p, restore, err := d.spawn(ctx, k, spec, progress)
	if err != nil {
		return "", err
	}
	progress(fmt.Sprintf("waiting for %s (pid %d) to answer", k.program, p.PID))
	endpoint, err := d.answer(ctx, k, p)
	// Needed also when the start failed or was cancelled, since dockerd has changed
	// the rules by then.
	restore(context.WithoutCancel(ctx), err == nil)
	d.recordKey(key)
	return endpoint, err
}

// takeOver adopts a running engine and returns its endpoint. It returns "" when an
// engine must be started: none runs, or the former one has ended now, since it had
// no socket or a stop was under way.
func (d *Driver) takeOver(ctx context.Context, k kind, progress func(string)) (endpoint string, err error) {
	runs, p, ok := d.findRunning()
	switch {
	case !ok:
		return "", nil
	case runs.engine != k.engine:
		return "", fmt.Errorf("%s (pid %d) is running, and must be stopped before %s can start: run 'rdd stop' first", runs.program, p.PID, k.program)
	}
	if stop, stopping := load(d.paths.state).stopOf(p); stopping {
		return "", d.finishStop(ctx, k, p, stop, progress)
	}
	progress(fmt.Sprintf("adopting %s, pid %d", k.program, p.PID))
	if isSocketMissing(ctx, k, p) {
		return "", d.Repair(ctx)
	}
	endpoint, err = d.answer(ctx, k, p)
	if err == nil && k.engine == appv1.EngineMoby && !rootless() && !liveRestore(k) {
		// A daemon that was killed as it began a stop has turned it off.
		if err := d.setLiveRestore(ctx, k, p, true); err != nil {
			d.log.Warn("dockerd did not turn live-restore on; its containers end with it", "error", err)
		}
	}
	return endpoint, err
}

// finishStop waits for an engine whose stop is under way, and kills it after its
// deadline.
func (d *Driver) finishStop(ctx context.Context, k kind, p process.Process, stop stopping, progress func(string)) error {
	err := d.waitForEngine(ctx, k, p, stop, progress)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s (pid %d) has been stopping since %s: %w: run 'rdd start' when it has ended",
			k.program, p.PID, stop.Since.Format(time.TimeOnly), err)
	}
	_, err = d.stop(ctx, progress, 0)
	return err
}

// StartWithin implements vm.Driver.
func (d *Driver) StartWithin(messages.VMSpec) time.Duration { return startDeadline + prepareWithin }

// spawn prepares and starts the engine's process. The caller calls restore when the
// engine answers, or when the start has failed.
func (d *Driver) spawn(ctx context.Context, k kind, spec messages.VMSpec, progress func(string)) (p process.Process, restore firewallRestorer, err error) {
	subnet := spec.Subnet
	l, err := d.configured(ctx, k, spec)
	if err != nil {
		return process.Process{}, nil, err
	}
	if err := errors.Join(k.checkSockets(), d.makeDirs(k), d.clearStale(ctx, k, progress)); err != nil {
		return process.Process{}, nil, err
	}
	s := load(d.paths.state)
	if s.Range != subnet {
		// The subnet was chosen from another range.
		s.Range, s.Subnet = subnet, ""
	}
	n, restore := dockerNetwork{}, firewallRestorer(func(context.Context, bool) {})
	switch {
	case k.engine != appv1.EngineMoby:
	case l.wrapper == "":
		n, restore, err = d.prepareNetwork(ctx, k, &s)
	case subnet != "":
		n, err = rootlessNetwork(bridgeName(d.cfg), subnet)
	}
	if err != nil {
		return process.Process{}, nil, err
	}
	p, err = d.launch(ctx, k, l, n)
	if err != nil {
		restore(ctx, false)
		return process.Process{}, nil, err
	}
	s.Settings = spec.Settings
	s.Engine, s.PID, s.StartTime, s.BootID, s.Stopping = k.engine, p.PID, p.Start, process.BootID(), nil
	if err := s.save(d.paths.state); err != nil {
		// A search of all processes finds the engine without the record.
		d.log.Warn("cannot record the engine", "error", err)
	}
	d.log.Info("started "+k.program, "pid", p.PID, "log", k.log)
	return p, restore, nil
}

// launch starts the engine's process, unless ctx is done.
func (d *Driver) launch(ctx context.Context, k kind, l launcher, n dockerNetwork) (process.Process, error) {
	if err := writeSettings(k, l, n, !rootless()); err != nil {
		return process.Process{}, err
	}
	log, err := openLog(k.log)
	if err != nil {
		return process.Process{}, err
	}
	defer log.Close()
	if _, err := fmt.Fprintf(log, "%s%s at %s\n", startMark, k.program, time.Now().UTC().Format(time.RFC3339)); err != nil {
		return process.Process{}, fmt.Errorf("write to the engine's log: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return process.Process{}, err
	}
	cmd := l.command(k, log, d.getenv)
	p, ended, err := process.Start(cmd)
	if err != nil {
		return process.Process{}, fmt.Errorf("start %s: %w", k.program, err)
	}
	go func() {
		// The engine may outlive this process; its end is not logged then.
		err := <-ended
		d.log.Info(k.program+" has ended", "pid", p.PID, "status", cmd.ProcessState.String(), "error", err)
	}()
	return p, nil
}

// answer waits until the engine answers and returns its endpoint.
func (d *Driver) answer(ctx context.Context, k kind, p process.Process) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, startDeadline)
	defer cancel()
	gone := make(chan error, 1)
	go func() { gone <- p.Wait(ctx) }()
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	var last error
	for {
		if last = ping(ctx, k); last == nil {
			// The private directory protects the socket too.
			if err := os.Chmod(k.socket, 0o600); err != nil {
				return "", fmt.Errorf("make the engine's socket private: %w", err)
			}
			return k.endpoint(), nil
		}
		select {
		case err := <-gone:
			if err == nil {
				return "", endedEarlyError(k)
			}
			return "", noAnswerError(k, p, last, err)
		case <-ctx.Done():
			return "", noAnswerError(k, p, last, ctx.Err())
		case <-ticker.C:
		}
	}
}

// endedEarlyError returns the error for an engine that ended before it answered.
func endedEarlyError(k kind) error {
	output := readTail(k.log, 6)
	err := error(&vm.EndedEarlyError{Err: fmt.Errorf("%s ended before it answered%s", k.program, logHint(k)), Output: output})
	if isPermanent(output) {
		return vm.Permanent(err)
	}
	return err
}

func noAnswerError(k kind, p process.Process, last, err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s (pid %d) runs but does not answer: %w%s", k.program, p.PID, last, logHint(k))
	}
	return fmt.Errorf("wait for %s (pid %d) to answer: %w", k.program, p.PID, err)
}

// pingDeadline limits one ping of an engine.
const pingDeadline = 5 * time.Second

func ping(ctx context.Context, k kind) error {
	ctx, cancel := context.WithTimeout(ctx, pingDeadline)
	defer cancel()
	if k.engine == appv1.EngineContainerd {
		return probe.Dial(ctx, k.socket)
	}
	return probe.Ping(ctx, k.endpoint())
}

// logHint returns the end of an error: the path of the engine's log, its last lines,
// and hints for known errors in them.
func logHint(k kind) string {
	lines := readTail(k.log, 6)
	if lines == "" {
		return "; its log " + k.log + " is empty"
	}
	var text strings.Builder
	text.WriteString("\nlast lines of " + k.log + ":\n" + lines)
	for sign, hint := range hints() {
		if strings.Contains(lines, sign) {
			text.WriteString("\nhint: " + hint)
		}
	}
	return text.String()
}
