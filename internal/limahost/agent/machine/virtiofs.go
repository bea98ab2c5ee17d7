package machine

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/lima-vm/lima/pkg/driver/qemu"
	"github.com/lima-vm/lima/pkg/limayaml"
	"github.com/lima-vm/lima/pkg/store/filenames"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// virtiofsdTimeout limits the start of a virtiofsd.
const virtiofsdTimeout = 5 * time.Second

// startVirtiofs starts a virtiofsd for each directory that a user's lima.yaml shares by
// virtiofs. It ends with QEMU.
func startVirtiofs(ctx context.Context, cfg qemu.Config, exe string) error {
	if *cfg.LimaYAML.MountType != limayaml.VIRTIOFS || len(cfg.LimaYAML.Mounts) == 0 {
		return nil
	}
	program, err := qemu.FindVirtiofsd(exe)
	if err != nil {
		return fmt.Errorf("share directories with the VM: %w: install virtiofsd, or set mountType to 9p", err)
	}
	for i, mount := range cfg.LimaYAML.Mounts {
		args, err := qemu.VirtiofsdCmdline(cfg, i)
		if err != nil {
			return err
		}
		_, ended, err := process.Start(exec.Command(program, args...)) //nolint:noctx // It runs as long as QEMU.
		if err != nil {
			return fmt.Errorf("start %s: %w", program, err)
		}
		socket := filepath.Join(cfg.InstanceDir, fmt.Sprintf(filenames.VhostSock, i))
		if err := awaitFile(ctx, socket, ended); err != nil {
			return fmt.Errorf("share %s with the VM: %w", mount.Location, err)
		}
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
