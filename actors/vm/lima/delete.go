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

// removeLogs removes the agent's log and its rotated logs.
func (d *Driver) removeLogs() error {
	patterns := instance.LogNames(filepath.Base(d.paths.AgentLog()))
	entries, err := os.ReadDir(d.cfg.LogDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("list the host agent's logs: %w", err)
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

// removeStale removes the sockets and pid files of an agent and a QEMU that were killed.
func (d *Driver) removeStale(ctx context.Context) error {
	var failed []error
	for _, engine := range []appv1.EngineName{appv1.EngineMoby, appv1.EngineContainerd} {
		socket, err := d.socket(engine)
		if err != nil || probe.Dial(ctx, socket) == nil {
			// The engine of another driver answers at this socket.
			continue
		}
		failed = append(failed, removeFile(socket))
	}
	for _, dir := range []string{d.cfg.Home, d.paths.Dir()} {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = append(failed, fmt.Errorf("list the files of a VM: %w", err))
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

// releasePidFile removes the agent's pid file, unless another agent holds its lock.
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
