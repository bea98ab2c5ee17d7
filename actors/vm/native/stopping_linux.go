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

// bounds are limits of a stop, in addition to the stop timeouts of containers.
type bounds struct {
	// engine limits the stop of an engine if no container has more than the default
	// stop timeout. It is longer than dockerd's shutdown timeout of 15 s, after which
	// dockerd ends without its containers.
	engine time.Duration
	// slack is added to the longest stop timeout. It is longer than the 5 s that
	// dockerd adds.
	slack time.Duration
	// rest limits the other steps of a stop: firewall, mounts and killed processes.
	rest time.Duration
}

func defaultBounds() bounds {
	return bounds{engine: 22 * time.Second, slack: 12 * time.Second, rest: 45 * time.Second}
}

// stopLimit returns how long the stop of an engine with these containers may take.
func (b bounds) stopLimit(containers []record) time.Duration {
	limit := longestTimeout(containers, 0)
	if limit == noLimit {
		return noLimit
	}
	return max(b.engine, limit+b.slack)
}

// engineLimit returns how long the end of an engine may take after its stop signal.
// An engine that does not signal its containers does not wait for them.
func (b bounds) engineLimit(containers []record, signals bool) time.Duration {
	if !signals {
		return b.engine
	}
	return b.stopLimit(containers)
}

// StopWithin implements vm.Driver. It includes the case that the engine is killed
// after its limit, and its containers are stopped after that.
func (d *Driver) StopWithin() time.Duration {
	limit := d.bounds.engine
	for _, k := range d.kinds() {
		limitOfKind := d.bounds.stopLimit(runningContainers(k))
		if limitOfKind == noLimit {
			return vm.NoLimit
		}
		limit = max(limit, limitOfKind)
	}
	return limit + d.bounds.engine + d.bounds.rest
}

// requestStop sends the engine the signal to stop its containers and to end. It sends
// the signal once: a third signal makes dockerd end without its containers.
func (d *Driver) requestStop(ctx context.Context, k kind, p process.Process) (stopping, error) {
	if stop, asked := load(d.paths.state).stopOf(p); asked {
		return stop, p.Signal(syscall.SIGCONT)
	}
	inner := innermost(k, p)
	// A frozen process must be continued before it can answer.
	if err := errors.Join(p.Signal(syscall.SIGCONT), inner.Signal(syscall.SIGCONT)); err != nil {
		return stopping{}, err
	}
	signals := k.engine == appv1.EngineMoby && (rootless() || d.disableLiveRestore(ctx, k, p))
	stop := newStop(d.bounds.engineLimit(runningContainers(k), signals), signals)
	if err := inner.Signal(syscall.SIGTERM); err != nil {
		return stop, err
	}
	s := load(d.paths.state)
	s.Engine, s.PID, s.StartTime, s.BootID = k.engine, p.PID, p.Start, process.BootID()
	d.recordStop(s, stop)
	return stop, nil
}

// recordStop saves a stop for the next attempt, or the next daemon.
func (d *Driver) recordStop(s state, stop stopping) {
	s.Stopping = &stop
	if err := s.save(d.paths.state); err != nil {
		d.log.Warn("cannot record the stop of the engine; the next daemon may send a second signal", "error", err)
	}
}

func newStop(limit time.Duration, signalled bool) stopping {
	stop := stopping{Since: time.Now(), Signalled: signalled}
	if limit != noLimit {
		stop.Until = stop.Since.Add(limit)
	}
	return stop
}

// within returns the stop with a deadline of at most maxWait from now.
func (s stopping) within(maxWait time.Duration) stopping {
	if end := time.Now().Add(maxWait); maxWait != vm.NoLimit && (s.Until.IsZero() || end.Before(s.Until)) {
		s.Until = end
	}
	return s
}

// waitForEngine waits for the end of an engine whose stop is under way, and reports
// the containers that still run. It returns nil when the engine has ended.
func (d *Driver) waitForEngine(ctx context.Context, k kind, p process.Process, stop stopping, progress func(string)) error {
	// Only pids that are proven to be those of containers are reported.
	containers := runningMembers(runningContainers(k), leftovers(k))
	return waitUntil(ctx, stop, func(ctx context.Context, limit time.Duration) error {
		if containers = slices.DeleteFunc(containers, member.gone); stop.Signalled && len(containers) > 0 {
			progress(waitsFor(recordsOf(containers), stop.Since))
		} else {
			progress(fmt.Sprintf("waiting for %s (pid %d) to end", k.program, p.PID))
		}
		return p.WaitFor(ctx, limit)
	})
}

// waitUntil calls wait, for a second at a time, until it returns nil, ctx is done or
// the deadline of the stop has passed.
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

// runningMembers returns the containers whose first process is one of the processes.
func runningMembers(records []record, processes []process.Process) []member {
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

// stopContainers stops the containers among left, whose engine has ended. As dockerd
// does, it sends each its stop signal once and waits for its stop timeout.
func (d *Driver) stopContainers(ctx context.Context, k kind, left []process.Process, progress func(string), maxWait time.Duration) {
	containers := firstProcesses(k, left)
	if len(containers) == 0 {
		return
	}
	s := load(d.paths.state)
	stop, asked := s.stop()
	if !asked || !stop.Signalled || s.Engine != k.engine {
		stop = newStop(longestTimeout(recordsOf(containers), 0), true)
		for _, c := range containers {
			if err := c.process.Signal(signalNamed(c.stopSignal)); err != nil {
				d.log.Warn("cannot send a container its stop signal", "container", c.name, "error", err)
			}
		}
		s.Engine, s.BootID = k.engine, process.BootID()
		d.recordStop(s, stop)
	}
	stop = stop.within(maxWait)
	_ = waitUntil(ctx, stop, func(ctx context.Context, limit time.Duration) error {
		if containers = slices.DeleteFunc(containers, member.gone); len(containers) == 0 {
			return nil
		}
		progress(waitsFor(recordsOf(containers), stop.Since))
		return containers[0].process.WaitFor(ctx, limit)
	})
}

// firstProcesses returns the containers among left: the children of shims. The stop
// signal and timeout come from dockerd's records; containerd has no such records.
func firstProcesses(k kind, left []process.Process) []member {
	known := runningMembers(runningContainers(k), left)
	for _, p := range left {
		isKnown := slices.ContainsFunc(known, func(m member) bool { return m.process.PID == p.PID })
		if isKnown || !slices.ContainsFunc(left, func(shim process.Process) bool { return shim.PID == p.Parent && isShim(k, shim) }) {
			continue
		}
		known = append(known, member{record{name: "of " + k.program, pid: p.PID, stopTimeout: defaultStopTimeout}, p})
	}
	return known
}

// signalNamed returns the signal for a value of a Dockerfile's STOPSIGNAL: a name
// such as SIGQUIT, QUIT or RTMIN+3, or a number. The default is SIGTERM.
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
