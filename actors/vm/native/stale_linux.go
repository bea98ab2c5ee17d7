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

// clearStale removes what an engine that is gone left behind and what the next
// one would stumble over. The runtime state is cleared as by a reboot, unless
// containers still run from it.
func (d *Driver) clearStale(ctx context.Context, k kind, progress func(string)) error {
	if rootless() {
		// Containers live in the namespaces of the dockerd that started them;
		// another one cannot take them up.
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

// clearPIDFiles makes dockerd see that neither it nor its containerd runs. It
// takes any process that a pid file names for them, a zombie or somebody else's
// included: it then refuses to start, or waits in vain for that containerd.
// A containerd whose dockerd was killed dies with it; it is waited for here. The
// shims, and the containers with them, live on.
func clearPIDFiles(ctx context.Context, k kind) error {
	if k.pidFile == "" {
		return nil
	}
	for _, p := range leftovers(k) {
		if p.Executable() != "containerd" || !isHelper(k, p) {
			continue
		}
		if err := p.Signal(syscall.SIGKILL); err != nil {
			return fmt.Errorf("end the containerd of a dockerd that is gone: %w", err)
		}
		if err := p.WaitFor(ctx, forcedStop); err != nil {
			return fmt.Errorf("wait for the containerd of a dockerd that is gone (pid %d): %w", p.PID, err)
		}
	}
	return errors.Join(removeFile(k.pidFile), removeFile(filepath.Join(k.execDir, "containerd", "containerd.pid")))
}
