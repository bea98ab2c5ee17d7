package machine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"strings"

	"github.com/lima-vm/lima/pkg/driver/qemu"
	"github.com/lima-vm/lima/pkg/driverutil"
	"github.com/lima-vm/lima/pkg/freeport"
	"github.com/lima-vm/lima/pkg/limayaml"
	"github.com/lima-vm/lima/pkg/store"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/console"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/lima"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/record"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/status"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/image"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// maxPortTries is how often QEMU is started with another free port for SSH.
const maxPortTries = 5

// errPortTaken reports that another process has taken the chosen port meanwhile.
var errPortTaken = errors.New("another process has taken the port for SSH")

// Launcher starts the machine of one VM.
type Launcher struct {
	Paths  limahost.Paths
	Lima   *lima.Runtime
	Status *status.Broadcaster
	Log    *slog.Logger
	// Program is rdd's program; empty for this one.
	Program string
}

// Launch starts the machine of a VM with a disk. It waits for bootFiles as late as
// possible. port is the port of the guest's SSH server on 127.0.0.1.
func (l *Launcher) Launch(ctx context.Context, inst *store.Instance, rec record.Record, bootFiles func() error) (m Machine, port int, err error) {
	if err := console.Rotate(l.Paths.Console()); err != nil {
		return nil, 0, fmt.Errorf("rotate the log of the guest's console: %w", err)
	}
	if err := l.removeHostKey(rec); err != nil {
		return nil, 0, err
	}
	for range maxPortTries {
		port = *inst.Config.SSH.LocalPort
		if port == 0 {
			if port, err = freeport.TCP(); err != nil {
				return nil, 0, fmt.Errorf("find a port for SSH: %w", err)
			}
		}
		if err := writeSSHConfig(l.Paths, rec.User, port); err != nil {
			return nil, 0, err
		}
		m, err = l.launchAt(ctx, inst, rec.Acceleration, port, bootFiles)
		if err == nil {
			l.Status.Update(func(s *limahost.Status) {
				rec.SetStatus(s)
				s.MachinePID, s.SSHPort = m.PID(), port
			})
			return m, port, nil
		}
		if !errors.Is(err, errPortTaken) || *inst.Config.SSH.LocalPort != 0 {
			break
		}
		l.Log.Warn("retrying QEMU with another port for SSH", "port", port)
	}
	return nil, 0, err
}

// removeHostKey makes the agent accept a new host key from a guest with cloud-init, for
// which each boot is a new instance with new keys. The guest that rdd builds keeps its
// key.
func (l *Launcher) removeHostKey(rec record.Record) error {
	if rec.Image.Kind == image.KindBuilt {
		return nil
	}
	if err := os.Remove(l.Paths.KnownHosts()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the host key of the guest's last boot: %w", err)
	}
	return nil
}

func (l *Launcher) launchAt(ctx context.Context, inst *store.Instance, acceleration string, port int, bootFiles func() error) (m Machine, err error) {
	if *inst.Config.VMType == limayaml.VZ {
		if err := bootFiles(); err != nil {
			return nil, err
		}
		l.Status.EnterPhase(limahost.PhaseBoot)
		return l.launchVZ(ctx, driverutil.CreateTargetDriverInstance(inst, port))
	}
	cfg := qemu.Config{
		Name: inst.Name, InstanceDir: inst.Dir, LimaYAML: inst.Config,
		SSHLocalPort: port, SSHAddress: inst.SSHAddress,
	}
	err = withCommand(*inst.Config.Arch, acceleration, func() error {
		m, err = l.launchQEMU(ctx, cfg, bootFiles)
		return err
	})
	return m, err
}

func (l *Launcher) launchQEMU(ctx context.Context, cfg qemu.Config, bootFiles func() error) (Machine, error) {
	var (
		exe  string
		args []string
	)
	err := l.Lima.Call(func() (err error) {
		exe, args, err = qemu.Cmdline(ctx, cfg)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("build QEMU's command line: %w", err)
	}
	if err := bootFiles(); err != nil {
		return nil, err
	}
	appendToLogs(args)
	args = withReclaim(withSharedMemory(args))
	return l.withVirtiofs(ctx, cfg, func() (Machine, error) {
		l.Status.EnterPhase(limahost.PhaseBoot)
		return l.startQEMU(ctx, exe, args)
	})
}

// startQEMU starts QEMU in its own session, and returns when its monitor
// answers.
func (l *Launcher) startQEMU(ctx context.Context, exe string, args []string) (Machine, error) {
	output, err := os.Create(l.Paths.QEMULog())
	if err != nil {
		return nil, fmt.Errorf("create QEMU's log: %w", err)
	}
	defer output.Close()
	cmd := exec.Command(exe, args...) //nolint:noctx // QEMU outlives this process.
	cmd.Stdout, cmd.Stderr = output, output
	p, exited, err := process.Start(cmd)
	if err != nil {
		return nil, fmt.Errorf("start QEMU: %w", err)
	}
	l.Log.Info("QEMU started", "pid", p.PID, "args", strings.Join(cmd.Args, " "))
	m := observeQEMU(p, exited, l.Paths, l.Log)
	if m.awaitMonitor(ctx, monitorStartTimeout) != nil {
		return m, nil
	}
	defer m.Release()
	select {
	case <-m.Ended():
		text := strings.Join(console.Tail(l.Paths.QEMULog(), quotedLines), "\n  ")
		if strings.Contains(text, "host forwarding rule") {
			return nil, fmt.Errorf("%w: %s", errPortTaken, text)
		}
		return nil, fmt.Errorf("start QEMU: QEMU exited at once and printed:\n  %s", text)
	default:
	}
	cause := "start QEMU: its monitor does not answer"
	if ctx.Err() != nil {
		cause = "start QEMU: the start was cancelled"
	}
	return nil, errors.Join(errors.New(cause), m.kill(context.WithoutCancel(ctx), cause))
}
