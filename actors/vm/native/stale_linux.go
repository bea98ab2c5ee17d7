package native

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
)

// clearStale removes files of an engine that has ended, which would make the next
// start fail. It clears the runtime state as a reboot would, unless containers still
// use it.
func (d *Driver) clearStale(ctx context.Context, k kind, progress func(string)) error {
	if rootless() {
		// Containers run in the namespaces of their dockerd; another dockerd cannot
		// adopt them.
		if err := d.stopLeftovers(ctx, k, progress, vm.NoLimit); err != nil {
			return err
		}
	}
	err := errors.Join(removeFile(k.socket), clearPIDFiles(ctx, k))
	if err != nil || len(leftovers(k)) > 0 {
		return err
	}
	if err := errors.Join(unmountBelow(k.execDir), unmountBelow(k.dataDir)); err != nil {
		return err
	}
	if err := d.removeTree(k.execDir); err != nil {
		return err
	}
	if err := os.MkdirAll(k.execDir, 0o700); err != nil {
		return fmt.Errorf("make the engine's runtime directory: %w", err)
	}
	return nil
}

// clearPIDFiles removes the pid files of dockerd and its containerd. dockerd does
// not check the process that a pid file names: even a zombie or another user's
// process makes it refuse to start, or wait for that containerd in vain.
//
// It first kills a containerd whose dockerd was killed, and waits for its end. The
// shims and the containers keep running.
func clearPIDFiles(ctx context.Context, k kind) error {
	if k.pidFile == "" {
		return nil
	}
	for _, p := range leftovers(k) {
		if p.Executable() != "containerd" || !isHelper(k, p) {
			continue
		}
		if err := p.Signal(syscall.SIGKILL); err != nil {
			return fmt.Errorf("end the containerd of a dockerd that has ended: %w", err)
		}
		if err := p.WaitFor(ctx, forcedStop); err != nil {
			return fmt.Errorf("wait for the containerd of a dockerd that has ended (pid %d): %w", p.PID, err)
		}
	}
	return errors.Join(removeFile(k.pidFile), removeFile(filepath.Join(k.execDir, "containerd", "containerd.pid")))
}
