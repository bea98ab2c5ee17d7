package machine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/lima-vm/lima/pkg/driver/qemu"
	"github.com/lima-vm/lima/pkg/limayaml"
	"github.com/lima-vm/lima/pkg/store/filenames"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/console"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/virtiofs"
)

const (
	// virtiofsdTimeout limits the start of a virtiofsd.
	virtiofsdTimeout = 10 * time.Second
	// virtiofsdGrace is how long a virtiofsd has to end after its QEMU, and after a signal.
	virtiofsdGrace = 2 * time.Second
)

// virtiofsdRecord identifies the virtiofsd of a machine. An agent that adopts the machine
// reads it from a file.
type virtiofsdRecord struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"`
	// Boot is the boot of this machine in which Start counts.
	Boot string `json:"boot"`
}

// withVirtiofs starts QEMU with a virtiofsd for the directories that it shares by
// virtiofs. A virtiofsd ends with the QEMU that has connected to it, and serves no other.
// Until then, it ends with this process, by the end of its standard input.
func (l *Launcher) withVirtiofs(ctx context.Context, cfg qemu.Config, startQEMU func() (Machine, error)) (Machine, error) {
	if err := EndVirtiofsd(context.WithoutCancel(ctx), l.Paths); err != nil {
		return nil, err
	}
	if *cfg.LimaYAML.MountType != limayaml.VIRTIOFS || len(cfg.LimaYAML.Mounts) == 0 {
		return startQEMU()
	}
	input, err := l.startVirtiofsd(ctx, cfg)
	if input != nil {
		defer input.Close()
	}
	if err == nil {
		var m Machine
		if m, err = startQEMU(); err == nil {
			return m, nil
		}
	}
	return nil, errors.Join(err, EndVirtiofsd(context.WithoutCancel(ctx), l.Paths))
}

// startVirtiofsd starts a virtiofsd, and returns its standard input when it listens.
func (l *Launcher) startVirtiofsd(ctx context.Context, cfg qemu.Config) (io.Closer, error) {
	program := l.Program
	if program == "" {
		var err error
		if program, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("find rdd's program: %w", err)
		}
	}
	output, err := os.Create(l.Paths.VirtiofsdLog())
	if err != nil {
		return nil, fmt.Errorf("create virtiofsd's log: %w", err)
	}
	defer output.Close()
	cmd := exec.Command(program, "virtiofsd", l.Paths.LimaHome) //nolint:noctx // It runs as long as QEMU.
	cmd.Stdout, cmd.Stderr = output, output
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start virtiofsd: %w", err)
	}
	p, ended, err := process.Start(cmd)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start virtiofsd: %w", err), input.Close())
	}
	l.Log.Info("virtiofsd started", "pid", p.PID)
	err = limahost.Save(l.Paths.Virtiofsd(), virtiofsdRecord{p.PID, p.Start, process.BootID()})
	if err == nil {
		err = l.awaitShares(ctx, cfg, input, ended)
	}
	return input, err
}

// awaitShares sends a virtiofsd its directories, and waits for the sockets.
func (l *Launcher) awaitShares(ctx context.Context, cfg qemu.Config, input io.Writer, ended <-chan error) error {
	var shares []virtiofs.Share
	for i, mount := range cfg.LimaYAML.Mounts {
		socket := filepath.Join(cfg.InstanceDir, fmt.Sprintf(filenames.VhostSock, i))
		if err := filetree.Remove(socket); err != nil {
			return fmt.Errorf("remove an old socket: %w", err)
		}
		shares = append(shares, virtiofs.Share{Dir: mount.Location, Socket: socket, Writable: *mount.Writable})
	}
	if err := json.NewEncoder(input).Encode(shares); err != nil {
		return fmt.Errorf("start virtiofsd: %w", err)
	}
	for _, share := range shares {
		if err := awaitFile(ctx, share.Socket, ended); err != nil {
			text := strings.Join(console.Tail(l.Paths.VirtiofsdLog(), quotedLines), "\n  ")
			return fmt.Errorf("share %s with the VM: %w: %s: remove the directory from vm.mounts", share.Dir, err, text)
		}
	}
	return nil
}

// Virtiofsd returns the virtiofsd of the machine. It is zero without one, and the process
// may have ended.
func Virtiofsd(p limahost.Paths) process.Process {
	var rec virtiofsdRecord
	if found, err := limahost.Load(p.Virtiofsd(), &rec); err != nil || !found || rec.Boot != process.BootID() {
		return process.Process{}
	}
	return process.Process{PID: rec.PID, Start: rec.Start}
}

// EndVirtiofsd ends the virtiofsd of a machine that has ended, unless it ends by itself.
func EndVirtiofsd(ctx context.Context, p limahost.Paths) error {
	server := Virtiofsd(p)
	if server.PID != 0 && server.Mine() && server.WaitFor(ctx, virtiofsdGrace) != nil {
		for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
			_ = server.Signal(signal) // may have ended
			if server.WaitFor(ctx, virtiofsdGrace) == nil {
				break
			}
		}
		if server.Alive() {
			return fmt.Errorf("end virtiofsd, pid %d: the process survived SIGKILL, and may hang in the kernel: see the output of 'dmesg'", server.PID)
		}
	}
	if err := filetree.Remove(p.Virtiofsd()); err != nil {
		return fmt.Errorf("remove the record of the last virtiofsd: %w", err)
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

// withSharedMemory returns QEMU's arguments with memory that virtiofsd can map. Lima's has
// files in /dev/shm, which is too small on some machines.
func withSharedMemory(args []string) []string {
	out := make([]string, 0, len(args))
	for _, arg := range args {
		if strings.HasPrefix(arg, "memory-backend-file,id=virtiofs-shm,") {
			arg = strings.Replace(strings.Replace(arg, "memory-backend-file,", "memory-backend-memfd,", 1), ",mem-path=/dev/shm", "", 1)
		}
		out = append(out, arg)
	}
	return out
}
