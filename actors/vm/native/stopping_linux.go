package native

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// bounds of a stop, beside the stop timeouts of containers.
type bounds struct {
	// engine is how long an engine may take whose containers have no longer stop
	// timeout than the default one. It is more than dockerd's own shutdown timeout
	// of 15 s, after which dockerd ends without them.
	engine time.Duration
	// slack is how long an engine may take beyond the longest stop timeout. It is
	// more than the 5 s that dockerd adds itself.
	slack time.Duration
	// rest is what a stop takes beside the engine and its containers: firewall,
	// mounts, processes that are killed.
	rest time.Duration
}

func defaultBounds() bounds {
	return bounds{engine: 22 * time.Second, slack: 12 * time.Second, rest: 45 * time.Second}
}

// patience is how long an engine with these containers may take to stop.
func (b bounds) patience(containers []record) time.Duration {
	limit := longest(containers, 0)
	if limit == noLimit {
		return noLimit
	}
	return max(b.engine, limit+b.slack)
}

// engineLimit is how long an engine may take to end that was asked to stop. One
// that does not signal its containers does not wait for them either.
func (b bounds) engineLimit(containers []record, signals bool) time.Duration {
	if !signals {
		return b.engine
	}
	return b.patience(containers)
}

// StopWithin implements vm.Driver. An engine that does not answer is killed after
// its own limit, and its containers are stopped after that.
func (d *Driver) StopWithin() time.Duration {
	limit := d.bounds.engine
	for _, k := range d.kinds() {
		patience := d.bounds.patience(running(k))
		if patience == noLimit {
			return vm.NoLimit
		}
		limit = max(limit, patience)
	}
	return limit + d.bounds.engine + d.bounds.rest
}

// askToStop sends an engine the signal that makes it stop its containers and end,
// once: a second one would not reach the containers, but a third ends dockerd
// without them.
func (d *Driver) askToStop(ctx context.Context, k kind, p process.Process) (stopping, error) {
	if stop, asked := load(d.paths.state).stopOf(p); asked {
		return stop, p.Signal(syscall.SIGCONT)
	}
	inner := innermost(k, p)
	// A stopped process answers nothing before it is continued.
	if err := errors.Join(p.Signal(syscall.SIGCONT), inner.Signal(syscall.SIGCONT)); err != nil {
		return stopping{}, err
	}
	signals := k.engine == appv1.EngineMoby && (rootless() || d.leaveNothingAlive(ctx, k, p))
	stop := newStop(d.bounds.engineLimit(running(k), signals), signals)
	if err := inner.Signal(syscall.SIGTERM); err != nil {
		return stop, err
	}
	s := load(d.paths.state)
	s.Engine, s.PID, s.StartTime, s.BootID = k.engine, p.PID, p.Start, process.BootID()
	d.recordStop(s, stop)
	return stop, nil
}

// recordStop keeps a stop for the next try, or the next daemon.
func (d *Driver) recordStop(s state, stop stopping) {
	s.Stopping = &stop
	if err := s.save(d.paths.state); err != nil {
		d.log.Warn("cannot record that the engine was asked to stop; the next daemon may ask again", "error", err)
	}
}

func newStop(patience time.Duration, signalled bool) stopping {
	stop := stopping{Since: time.Now(), Signalled: signalled}
	if patience != noLimit {
		stop.Until = stop.Since.Add(patience)
	}
	return stop
}

// within is the stop that ends after most from now at the latest.
func (s stopping) within(most time.Duration) stopping {
	if end := time.Now().Add(most); most != vm.NoLimit && (s.Until.IsZero() || end.Before(s.Until)) {
		s.Until = end
	}
	return s
}

// waitForEngine waits for the end of an engine that was asked to stop, and says
// which containers hold it up. It returns nil when the engine has ended.
func (d *Driver) waitForEngine(ctx context.Context, k kind, p process.Process, stop stopping, progress func(string)) error {
	// A process is named only when it is known to be the container's.
	containers := alive(running(k), leftovers(k))
	return waitUntil(ctx, stop, func(ctx context.Context, limit time.Duration) error {
		if containers = slices.DeleteFunc(containers, member.gone); stop.Signalled && len(containers) > 0 {
			progress(waitsFor(recordsOf(containers), stop.Since))
		} else {
			progress(fmt.Sprintf("waiting for %s (pid %d) to end", k.program, p.PID))
		}
		return p.WaitFor(ctx, limit)
	})
}

// waitUntil calls wait, for a second at a time, until it returns nil, ctx ends or
// the time of the stop has passed.
func waitUntil(ctx context.Context, stop stopping, wait func(ctx context.Context, limit time.Duration) error) error {
	for {
		limit := time.Second
		if !stop.Until.IsZero() {
			limit = min(limit, time.Until(stop.Until))
		}
		err := wait(ctx, max(limit, 0))
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if stop.passed() {
			return context.DeadlineExceeded
		}
	}
}

// member is the first process of a container.
type member struct {
	record
	process process.Process
}

func (m member) gone() bool { return !m.process.Alive() }

// alive are the containers whose first process is among these processes.
func alive(records []record, processes []process.Process) []member {
	var all []member
	for _, r := range records {
		if i := slices.IndexFunc(processes, func(p process.Process) bool { return p.PID == r.pid }); i >= 0 {
			all = append(all, member{r, processes[i]})
		}
	}
	return all
}

func recordsOf(members []member) []record {
	records := make([]record, len(members))
	for i, m := range members {
		records[i] = m.record
	}
	return records
}

// stopContainers stops the containers among left, which have no engine any more,
// as dockerd does: each gets its stop signal, once, and then its stop timeout.
func (d *Driver) stopContainers(ctx context.Context, k kind, left []process.Process, progress func(string), most time.Duration) {
	containers := firstProcesses(k, left)
	if len(containers) == 0 {
		return
	}
	s := load(d.paths.state)
	stop, asked := s.stop()
	if !asked || !stop.Signalled || s.Engine != k.engine {
		stop = newStop(longest(recordsOf(containers), 0), true)
		for _, c := range containers {
			if err := c.process.Signal(signalNamed(c.stopSignal)); err != nil {
				d.log.Warn("cannot ask a container to stop", "container", c.name, "error", err)
			}
		}
		s.Engine, s.BootID = k.engine, process.BootID()
		d.recordStop(s, stop)
	}
	stop = stop.within(most)
	_ = waitUntil(ctx, stop, func(ctx context.Context, limit time.Duration) error {
		if containers = slices.DeleteFunc(containers, member.gone); len(containers) == 0 {
			return nil
		}
		progress(waitsFor(recordsOf(containers), stop.Since))
		return containers[0].process.WaitFor(ctx, limit)
	})
}

// firstProcesses are the containers among left: the children of their shims. What
// dockerd kept of one says how it is stopped; of a containerd nothing is known.
func firstProcesses(k kind, left []process.Process) []member {
	known := alive(running(k), left)
	for _, p := range left {
		isKnown := slices.ContainsFunc(known, func(m member) bool { return m.process.PID == p.PID })
		if isKnown || !slices.ContainsFunc(left, func(shim process.Process) bool { return shim.PID == p.Parent && isShim(k, shim) }) {
			continue
		}
		known = append(known, member{record{name: "of " + k.program, pid: p.PID, stopTimeout: defaultStopTimeout}, p})
	}
	return known
}

// signalNamed is the signal of a name such as SIGQUIT, QUIT or RTMIN+3, or of a
// number, as in a Dockerfile's STOPSIGNAL; SIGTERM where there is none.
func signalNamed(name string) syscall.Signal {
	const first, last = 1, 64
	number, err := strconv.Atoi(name)
	name = "SIG" + strings.TrimPrefix(strings.ToUpper(name), "SIG")
	if err != nil {
		number = int(unix.SignalNum(name))
	}
	for base, zero := range map[string]int{"SIGRTMIN": 34, "SIGRTMAX": last} {
		if rest, ok := strings.CutPrefix(name, base); ok {
			offset, _ := strconv.Atoi(rest)
			number = zero + offset
		}
	}
	if number < first || number > last {
		return syscall.SIGTERM
	}
	return syscall.Signal(number)
}
