package machine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/lima-vm/lima/pkg/driver/qemu"
	"github.com/lima-vm/lima/pkg/limayaml"
	"github.com/lima-vm/lima/pkg/store/filenames"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// virtiofsdTimeout limits the start of a virtiofsd.
const virtiofsdTimeout = 5 * time.Second

// virtiofsdGrace is how long a virtiofsd has to end after a signal.
const virtiofsdGrace = 2 * time.Second

// withVirtiofs starts QEMU with a virtiofsd for each directory that a user's lima.yaml
// shares by virtiofs. A virtiofsd ends with the QEMU that has connected to it, and serves
// no other. So those of a QEMU that fails to start, which may not have connected, are
// ended here.
func withVirtiofs(ctx context.Context, cfg qemu.Config, exe string, startQEMU func() (Machine, error)) (Machine, error) {
	started, err := startVirtiofs(ctx, cfg, exe)
	if err == nil {
		var m Machine
		if m, err = startQEMU(); err == nil {
			return m, nil
		}
	}
	ctx = context.WithoutCancel(ctx)
	for _, p := range started {
		err = errors.Join(err, endVirtiofsd(ctx, p))
	}
	return nil, err
}

// startVirtiofs starts the virtiofsds, and returns them also with an error.
func startVirtiofs(ctx context.Context, cfg qemu.Config, exe string) (started []process.Process, err error) {
	if *cfg.LimaYAML.MountType != limayaml.VIRTIOFS || len(cfg.LimaYAML.Mounts) == 0 {
		return nil, nil
	}
	program, err := qemu.FindVirtiofsd(exe)
	if err != nil {
		return nil, fmt.Errorf("share directories with the VM: %w: install virtiofsd, or set mountType to 9p", err)
	}
	for i, mount := range cfg.LimaYAML.Mounts {
		args, err := qemu.VirtiofsdCmdline(cfg, i) // removes an old socket
		if err != nil {
			return started, err
		}
		p, ended, err := process.Start(exec.Command(program, args...)) //nolint:noctx // It runs as long as QEMU.
		if err != nil {
			return started, fmt.Errorf("start %s: %w", program, err)
		}
		started = append(started, p)
		socket := filepath.Join(cfg.InstanceDir, fmt.Sprintf(filenames.VhostSock, i))
		if err := awaitFile(ctx, socket, ended); err != nil {
			return started, fmt.Errorf("share %s with the VM: %w", mount.Location, err)
		}
	}
	return started, nil
}

// endVirtiofsd ends a virtiofsd, and its children: it serves from a sandbox in one.
func endVirtiofsd(ctx context.Context, first process.Process) error {
	now, runs := process.Find(first.PID)
	if !runs || now.Start != first.Start {
		return nil // its pid may be that of another process
	}
	all := append(process.Descendants([]process.Process{first}, process.All()), first)
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		for _, p := range all {
			_ = p.Signal(signal) // may have ended
		}
		all = slices.DeleteFunc(all, func(p process.Process) bool { return p.WaitFor(ctx, virtiofsdGrace) == nil })
	}
	if len(all) > 0 {
		return fmt.Errorf("end virtiofsd, pid %d: the process survived SIGKILL, and may hang in the kernel: see the output of 'dmesg'", all[0].PID)
	}
	return nil
}

// awaitFile waits for a file that a process creates.
func awaitFile(ctx context.Context, path string, ended <-chan error) error {
	ctx, cancel := context.WithTimeout(ctx, virtiofsdTimeout)
	defer cancel()
	ticker := time.NewTicker(monitorPoll)
	defer ticker.Stop()
	for {
		if _, err := os.Stat(path); err == nil {
			return nil
		}
		select {
		case err := <-ended:
			return fmt.Errorf("virtiofsd exited: %w", err)
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}
