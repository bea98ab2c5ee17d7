package native

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/probe"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// Bounds of the steps of a stop, beside the stop timeouts of containers.
const (
	// reloadDeadline bounds the wait for dockerd to take up a configuration.
	reloadDeadline = 10 * time.Second
	// forcedStop bounds the wait for killed processes to go.
	forcedStop = 5 * time.Second
)

// Stop implements vm.Driver.
func (d *Driver) Stop(ctx context.Context, progress func(string)) (note string, err error) {
	return d.stop(ctx, progress, vm.NoLimit)
}

// stop is Stop that kills containers after most, even where their stop timeout is
// longer.
func (d *Driver) stop(ctx context.Context, progress func(string), most time.Duration) (note string, err error) {
	var failed []error
	for {
		k, p, ok := d.running()
		if !ok {
			break
		}
		forced, err := d.stopEngine(ctx, k, p, progress, most)
		if err != nil {
			return "", err
		}
		if forced != "" {
			note = forced
		}
	}
	for _, k := range d.kinds() {
		failed = append(failed, d.stopLeftovers(ctx, k, progress, most), d.cleanUp(k))
	}
	s := load(d.paths.state)
	own := d.networks(s)
	unlock := d.lockHost(ctx)
	failed = append(failed, d.removeRules(ctx, own), removeBridges(own))
	unlock()
	if err := errors.Join(failed...); err != nil {
		return note, err
	}
	if s.PID == 0 && s.Stopping == nil {
		return note, nil
	}
	s.PID, s.StartTime, s.BootID, s.Stopping = 0, 0, "", nil
	if err := s.save(d.paths.state); err != nil {
		// The engine has stopped all the same, and a process that is gone is not
		// found by what the file says of it.
		d.log.Warn("cannot record that the engine has stopped", "error", err)
	}
	return note, nil
}

// networks are all bridges of this driver, as far as they are known.
func (d *Driver) networks(s state) []network {
	main := network{Bridge: bridgeName(d.cfg)}
	if s.Subnet != "" {
		main.Subnets = []string{s.Subnet}
	}
	return append([]network{main}, s.Networks...)
}

// stopEngine ends one engine's process, gracefully if it lets itself; note says
// that it did not. An engine that was asked to stop before is not asked again.
func (d *Driver) stopEngine(ctx context.Context, k kind, p process.Process, progress func(string), most time.Duration) (note string, err error) {
	stop, err := d.askToStop(ctx, k, p)
	if err != nil {
		return "", fmt.Errorf("stop %s: %w", k.program, err)
	}
	if d.waitForEngine(ctx, k, p, stop.within(most), progress) == nil {
		return "", nil
	}
	if ctx.Err() != nil {
		return "", fmt.Errorf("stop %s (pid %d): %w", k.program, p.PID, ctx.Err())
	}
	after := time.Since(stop.Since).Round(time.Second)
	d.log.Warn(k.program+" did not stop by itself and is killed", "pid", p.PID, "after", after)
	if err := p.Signal(syscall.SIGKILL); err != nil {
		return "", fmt.Errorf("kill %s: %w", k.program, err)
	}
	if err := p.WaitFor(ctx, forcedStop); err != nil {
		return "", fmt.Errorf("%s (pid %d) survives even SIGKILL; it may hang in the kernel, see 'dmesg': %w", k.program, p.PID, err)
	}
	return fmt.Sprintf("%s did not stop by itself within %s and was killed", k.program, after), nil
}

// leaveNothingAlive turns live-restore off, so that dockerd stops its containers
// when it ends, and remembers the networks that it made. It reports whether
// dockerd has taken that up; if not, the containers are stopped without it.
func (d *Driver) leaveNothingAlive(ctx context.Context, k kind, p process.Process) bool {
	ctx, cancel := context.WithTimeout(ctx, reloadDeadline)
	defer cancel()
	if err := ping(ctx, k); err != nil {
		d.log.Warn("dockerd does not answer; its containers are stopped without it", "error", err)
		return false
	}
	n := dockerNetwork{}
	if s := load(d.paths.state); s.Subnet != "" {
		n.bridge = bridgeName(d.cfg)
		d.recordNetworks(ctx, k)
	}
	err := writeSettings(k, n, false)
	if err == nil {
		err = p.Signal(syscall.SIGHUP)
	}
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for err == nil {
		var info struct{ LiveRestoreEnabled bool }
		if err = probe.Get(ctx, k.endpoint(), "/info", &info); err == nil && !info.LiveRestoreEnabled {
			return true
		}
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-ticker.C:
		}
	}
	d.log.Warn("dockerd did not turn live-restore off; its containers are stopped without it", "error", err)
	return false
}

// stopLeftovers ends the processes that an engine left behind, containers first.
func (d *Driver) stopLeftovers(ctx context.Context, k kind, progress func(string), most time.Duration) error {
	left := leftovers(k)
	if len(left) > 0 {
		d.log.Warn("stopping the processes that "+k.program+" left behind", "processes", len(left))
	}
	d.stopContainers(ctx, k, left, progress, most)
	deadline := time.Now().Add(forcedStop)
	for len(left) > 0 && time.Now().Before(deadline) && ctx.Err() == nil {
		for _, p := range left {
			if err := p.Signal(syscall.SIGKILL); err != nil {
				return fmt.Errorf("kill what is left of %s: %w", k.program, err)
			}
		}
		for _, p := range left {
			_ = p.WaitFor(ctx, time.Second)
		}
		// A process that was just being started is seen the second time.
		left = leftovers(k)
	}
	d.forget(ctx, k)
	if len(left) > 0 {
		return fmt.Errorf("%d processes of %s survive even SIGKILL, the first is pid %d", len(left), k.program, left[0].PID)
	}
	return ctx.Err()
}

// cleanUp removes what a stopped engine leaves: mounts, sockets, runtime state.
func (d *Driver) cleanUp(k kind) error {
	failed := []error{unmountBelow(k.execDir), unmountBelow(k.dataDir)}
	if errors.Join(failed...) == nil {
		failed = append(failed, d.removeTree(k.execDir))
	}
	failed = append(failed, removeFile(k.socket), removeFile(k.socket+".ttrpc"))
	if k.pidFile != "" {
		failed = append(failed, removeFile(k.pidFile))
	}
	return errors.Join(failed...)
}

// Delete implements vm.Driver.
func (d *Driver) Delete(ctx context.Context) error {
	was := load(d.paths.state)
	// Their data goes too, so that no container is worth waiting for long.
	if _, err := d.stop(ctx, func(string) {}, d.bounds.engine); err != nil {
		return err
	}
	// What is mounted now is the user's: it is found before anything is removed.
	if err := filetree.CheckUnmounted(d.paths.runDir, d.paths.engineDir); err != nil {
		return err
	}
	var failed []error
	if was.Forwarding != nil {
		unlock := d.lockHost(ctx)
		failed = append(failed, d.restoreHost(ctx, was.Forwarding))
		unlock()
	}
	// Another dockerd of root shares the key.
	if was.Key != nil && (rootless() || !anyDockerd()) {
		failed = append(failed, was.Key.remove())
	}
	for _, k := range d.kinds() {
		failed = append(failed, removeFile(k.log), removeFile(k.log+".1"))
	}
	failed = append(failed, d.removeTree(d.paths.runDir), d.removeTree(d.paths.engineDir))
	return errors.Join(failed...)
}
