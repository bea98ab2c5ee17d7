package lima

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/probe"
)

// Delete implements vm.Driver.
func (d *Driver) Delete(ctx context.Context) error {
	if _, err := d.Stop(ctx, func(string) {}); err != nil {
		return err
	}
	home := instance.LimaHome(d.cfg.Home)
	if err := home.Check(); err != nil {
		return fmt.Errorf("remove the VM: %w", err)
	}
	failed := []error{d.removeLogs()}
	if err := home.Empty(); err != nil {
		failed = append(failed, fmt.Errorf("remove the VM: %w", err))
	}
	return errors.Join(failed...)
}

// removeLogs removes the agent's log and the older ones beside it, which have a
// time before the end of their names.
func (d *Driver) removeLogs() error {
	patterns := instance.LogNames(filepath.Base(d.paths.AgentLog()))
	entries, err := os.ReadDir(d.cfg.LogDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look for the host agent's logs: %w", err)
	}
	var failed []error
	for _, entry := range entries {
		if slices.ContainsFunc(patterns, func(pattern string) bool {
			matches, err := filepath.Match(pattern, entry.Name())
			return err == nil && matches
		}) {
			failed = append(failed, removeFile(filepath.Join(d.cfg.LogDir, entry.Name())))
		}
	}
	return errors.Join(failed...)
}

// tidy removes the sockets and pid files of what is gone. An agent and a QEMU
// that ended in peace remove theirs; those that were killed do not.
func (d *Driver) tidy(ctx context.Context) error {
	var failed []error
	for _, engine := range []appv1.EngineName{appv1.EngineMoby, appv1.EngineContainerd} {
		socket, err := d.socket(engine)
		if err != nil || probe.Dial(ctx, socket) == nil {
			// Another driver's engine answers there.
			continue
		}
		failed = append(failed, removeFile(socket))
	}
	for _, dir := range []string{d.cfg.Home, d.paths.Dir()} {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = append(failed, fmt.Errorf("look for what a VM left: %w", err))
		}
		for _, entry := range entries {
			path, kind := filepath.Join(dir, entry.Name()), filepath.Ext(entry.Name())
			if (kind == ".sock" || kind == ".pid") && path != d.paths.PidFile() {
				failed = append(failed, removeFile(path))
			}
		}
	}
	return errors.Join(append(failed, d.releasePidFile())...)
}

// releasePidFile removes the agent's pid file, unless another agent has just
// taken it.
func (d *Driver) releasePidFile() error {
	if _, err := os.Stat(d.paths.PidFile()); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	lock, err := instance.Lock(d.paths.PidFile())
	var running *instance.RunningError
	switch {
	case errors.As(err, &running):
		return nil
	case err != nil:
		return fmt.Errorf("remove the host agent's pid file: %w", err)
	}
	return lock.Release()
}
