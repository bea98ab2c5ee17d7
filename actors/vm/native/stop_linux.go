package native

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/probe"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// These are limits of the steps of a stop, in addition to the stop timeouts.
const (
	// reloadDeadline limits the wait for dockerd to apply a new configuration.
	reloadDeadline = 10 * time.Second
	// forcedStop limits the wait for killed processes to end.
	forcedStop = 5 * time.Second
)

// Stop implements vm.Driver.
func (d *Driver) Stop(ctx context.Context, progress func(string)) (note string, err error) {
	return d.stop(ctx, progress, vm.NoLimit)
}

// stop is Stop with a limit: it kills containers after maxWait, even if their stop
// timeout is longer.
func (d *Driver) stop(ctx context.Context, progress func(string), maxWait time.Duration) (note string, err error) {
	var failed []error
	for {
		k, p, ok := d.findRunning()
		if !ok {
			break
		}
		forced, err := d.stopEngine(ctx, k, p, progress, maxWait)
		if err != nil {
			return "", err
		}
		if forced != "" {
			note = forced
		}
	}
	for _, k := range d.kinds() {
		failed = append(failed, d.stopLeftovers(ctx, k, progress, maxWait), d.cleanUp(k))
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
		// The engine has stopped nevertheless, and its record does not match any
		// other process.
		d.log.Warn("cannot record that the engine has stopped", "error", err)
	}
	return note, nil
}

// networks returns all known bridges of this driver.
func (d *Driver) networks(s state) []network {
	main := network{Bridge: bridgeName(d.cfg)}
	if s.Subnet != "" {
		main.Subnets = []string{s.Subnet}
	}
	return append([]network{main}, s.Networks...)
}

// stopEngine ends one engine's process, and kills it after its deadline; note reports
// that. An engine whose stop is under way gets no second signal.
func (d *Driver) stopEngine(ctx context.Context, k kind, p process.Process, progress func(string), maxWait time.Duration) (note string, err error) {
	stop, err := d.requestStop(ctx, k, p)
	if err != nil {
		return "", fmt.Errorf("stop %s: %w", k.program, err)
	}
	if d.waitForEngine(ctx, k, p, stop.within(maxWait), progress) == nil {
		return "", nil
	}
	if ctx.Err() != nil {
		return "", fmt.Errorf("stop %s (pid %d): %w", k.program, p.PID, ctx.Err())
	}
	after := time.Since(stop.Since).Round(time.Second)
	d.log.Warn(k.program+" did not stop in time and is killed", "pid", p.PID, "after", after)
	if err := p.Signal(syscall.SIGKILL); err != nil {
		return "", fmt.Errorf("kill %s: %w", k.program, err)
	}
	if err := p.WaitFor(ctx, forcedStop); err != nil {
		return "", fmt.Errorf("%s (pid %d) survived SIGKILL, and may hang in the kernel: %w: see the output of 'dmesg'", k.program, p.PID, err)
	}
	return fmt.Sprintf("%s did not stop within %s and was killed", k.program, after), nil
}

// disableLiveRestore turns live-restore off, so that dockerd stops its containers
// when it ends. It also records the networks. It returns false when dockerd has not
// applied the configuration; the caller then stops the containers without dockerd.
func (d *Driver) disableLiveRestore(ctx context.Context, k kind, p process.Process) bool {
	ctx, cancel := context.WithTimeout(ctx, reloadDeadline)
	defer cancel()
	if err := ping(ctx, k); err != nil {
		d.log.Warn("dockerd does not answer; stopping its containers without it", "error", err)
		return false
	}
	if load(d.paths.state).Subnet != "" {
		d.recordNetworks(ctx, k)
	}
	if err := d.setLiveRestore(ctx, k, p, false); err != nil {
		d.log.Warn("dockerd did not turn live-restore off; stopping its containers without it", "error", err)
		return false
	}
	return true
}

// setLiveRestore changes live-restore of a running dockerd, and waits until that has
// applied it.
func (d *Driver) setLiveRestore(ctx context.Context, k kind, p process.Process, on bool) error {
	ctx, cancel := context.WithTimeout(ctx, reloadDeadline)
	defer cancel()
	former, err := os.ReadFile(k.configFile)
	if err != nil {
		return fmt.Errorf("read the configuration of dockerd: %w", err)
	}
	err = writeLiveRestore(k, former, on)
	if err == nil {
		err = p.Signal(syscall.SIGHUP)
	}
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for err == nil {
		var info struct{ LiveRestoreEnabled bool }
		if err = probe.Get(ctx, k.endpoint(), "/info", &info); err == nil && info.LiveRestoreEnabled == on {
			return nil
		}
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-ticker.C:
		}
	}
	// Others read the file to learn what dockerd does.
	return errors.Join(err, writeFile(k.configFile, former))
}

// writeLiveRestore changes a single setting of dockerd's configuration file.
func writeLiveRestore(k kind, config []byte, on bool) error {
	all := map[string]json.RawMessage{}
	if err := json.Unmarshal(config, &all); err != nil {
		return fmt.Errorf("read %s: %w", k.configFile, err)
	}
	all["live-restore"] = json.RawMessage(strconv.FormatBool(on))
	data, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the configuration of dockerd: %w", err)
	}
	return writeFile(k.configFile, append(data, '\n'))
}

// stopLeftovers ends the processes of an engine that has ended, containers first.
func (d *Driver) stopLeftovers(ctx context.Context, k kind, progress func(string), maxWait time.Duration) error {
	left := leftovers(k)
	if len(left) > 0 {
		d.log.Warn("stopping the processes that "+k.program+" left behind", "processes", len(left))
	}
	d.stopContainers(ctx, k, left, progress, maxWait)
	deadline := time.Now().Add(forcedStop)
	for len(left) > 0 && time.Now().Before(deadline) && ctx.Err() == nil {
		for _, p := range left {
			if err := p.Signal(syscall.SIGKILL); err != nil {
				return fmt.Errorf("kill a process of %s (pid %d): %w", k.program, p.PID, err)
			}
		}
		for _, p := range left {
			_ = p.WaitFor(ctx, time.Second)
		}
		// The next listing has processes that were starting during the first one.
		left = leftovers(k)
	}
	d.deleteRuntimeRecords(ctx, k)
	if len(left) > 0 {
		return fmt.Errorf("%d processes of %s survived SIGKILL, and may hang in the kernel (the first is pid %d): see the output of 'dmesg'", len(left), k.program, left[0].PID)
	}
	return ctx.Err()
}

// cleanUp removes the mounts, sockets and runtime state of a stopped engine.
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
	// The data of containers is removed too, so that they need not end gracefully.
	if _, err := d.stop(ctx, func(string) {}, d.bounds.engine); err != nil {
		return err
	}
	// Remaining mounts are the user's. They are found before anything is removed.
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
	if was.Key != nil && (rootless() || !isDockerdRunning()) {
		failed = append(failed, was.Key.remove())
	}
	for _, k := range d.kinds() {
		failed = append(failed, removeFile(k.log), removeFile(k.log+".1"))
	}
	failed = append(failed, d.removeTree(d.paths.runDir), d.removeTree(d.paths.engineDir))
	return errors.Join(failed...)
}
