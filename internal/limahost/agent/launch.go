package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/lima-vm/lima/pkg/driver/qemu"
	"github.com/lima-vm/lima/pkg/driverutil"
	"github.com/lima-vm/lima/pkg/freeport"
	"github.com/lima-vm/lima/pkg/limayaml"
	"github.com/lima-vm/lima/pkg/store"
	"github.com/lima-vm/lima/pkg/store/filenames"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/console"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/image"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// portTries is how often another port is tried when one was taken meanwhile.
const portTries = 5

// errPortTaken says that QEMU could not listen at the port that it was given.
var errPortTaken = errors.New("the port for SSH was taken meanwhile")

// launch starts the machine of a VM that is ready for it. From here on there is a
// disk, and a machine that an agent may have to take over, so what is known of
// them is written down first. The machine is started when seed has returned.
func (a *agent) launch(ctx context.Context, inst *store.Instance, rec record, seed func() error) (machine, int, error) {
	rec.StartedAt = time.Now()
	if err := errors.Join(rec.save(a.paths), limahost.Save(a.paths.Current(), a.cfg.Spec), console.Keep(a.paths.Console())); err != nil {
		return nil, 0, err
	}
	if err := a.endMaking(); err != nil {
		return nil, 0, err
	}
	if err := a.forgetHostKey(rec); err != nil {
		return nil, 0, err
	}
	var failed error
	for range portTries {
		port := *inst.Config.SSH.LocalPort
		if port == 0 {
			var err error
			if port, err = freeport.TCP(); err != nil {
				return nil, 0, fmt.Errorf("find a port for SSH: %w", err)
			}
		}
		if err := writeSSHConfig(a.paths, rec.User, port); err != nil {
			return nil, 0, err
		}
		m, err := a.launchAt(ctx, inst, rec, port, seed)
		if err == nil {
			a.board.update(func(s *limahost.Status) {
				rec.show(s)
				s.MachinePID, s.SSHPort = m.pid(), port
			})
			return m, port, nil
		}
		failed = err
		if !errors.Is(err, errPortTaken) || *inst.Config.SSH.LocalPort != 0 {
			break
		}
		a.log.Warn("QEMU is started with another port", "port", port)
	}
	return nil, 0, failed
}

// forgetHostKey lets a guest that cloud-init sets up come with another host key:
// Lima names each boot a new instance to it, for which it makes new keys. The
// guest that rdd builds keeps its own.
func (a *agent) forgetHostKey(rec record) error {
	if rec.Image.Kind == image.KindBuilt {
		return nil
	}
	if err := os.Remove(knownHosts(a.paths)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget the guest's host key: %w", err)
	}
	return nil
}

func (a *agent) launchAt(ctx context.Context, inst *store.Instance, rec record, port int, seed func() error) (machine, error) {
	if *inst.Config.VMType == limayaml.VZ {
		if err := seed(); err != nil {
			return nil, err
		}
		a.board.enter(limahost.PhaseBoot)
		return a.startVZ(ctx, driverutil.CreateTargetDriverInstance(inst, port))
	}
	variable, value := program(*inst.Config.Arch, rec.Acceleration)
	was, had := os.LookupEnv(variable)
	if err := os.Setenv(variable, value); err != nil {
		return nil, fmt.Errorf("tell Lima which QEMU to use: %w", err)
	}
	defer func() {
		if had {
			_ = os.Setenv(variable, was)
		} else {
			_ = os.Unsetenv(variable)
		}
	}()
	cfg := qemu.Config{
		Name: inst.Name, InstanceDir: inst.Dir, LimaYAML: inst.Config,
		SSHLocalPort: port, SSHAddress: inst.SSHAddress,
	}
	var (
		exe  string
		args []string
	)
	err := a.lima.call(func() (err error) {
		exe, args, err = qemu.Cmdline(ctx, cfg)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("put together QEMU's command line: %w", err)
	}
	if err := seed(); err != nil {
		return nil, err
	}
	if err := a.shareDirectories(ctx, cfg, exe); err != nil {
		return nil, err
	}
	appendToLogs(args)
	a.board.enter(limahost.PhaseBoot)
	return a.spawn(ctx, exe, args)
}

// spawn starts QEMU in a session of its own, and returns when it runs the machine.
func (a *agent) spawn(ctx context.Context, exe string, args []string) (machine, error) {
	said, err := os.Create(qemuLog(a.paths))
	if err != nil {
		return nil, fmt.Errorf("make QEMU's log: %w", err)
	}
	defer said.Close()
	cmd := exec.Command(exe, args...) //nolint:noctx // QEMU outlives this process.
	cmd.Stdout, cmd.Stderr = said, said
	p, exit, err := process.Start(cmd)
	if err != nil {
		return nil, fmt.Errorf("start QEMU: %w", err)
	}
	a.log.Info("QEMU started", "pid", p.PID, "args", strings.Join(cmd.Args, " "))
	m := watchQEMU(p, exit, a.paths, a.log)
	if m.await(ctx, monitorAtFirst) != nil {
		return m, nil
	}
	select {
	case <-m.ended():
		m.close()
		text := strings.Join(console.Tail(qemuLog(a.paths), consoleLines), "\n  ")
		if strings.Contains(text, "host forwarding rule") {
			return nil, fmt.Errorf("%w: %s", errPortTaken, text)
		}
		return nil, fmt.Errorf("QEMU ended at once; it said:\n  %s", text)
	default:
	}
	why := "QEMU's monitor does not answer"
	if ctx.Err() != nil {
		why = "the start was broken off"
	}
	err = m.force(context.WithoutCancel(ctx), why)
	m.close()
	return nil, errors.Join(errors.New(why), err)
}

// virtiofsdWithin bounds the start of a daemon that shares a directory.
const virtiofsdWithin = 5 * time.Second

// shareDirectories starts what QEMU needs to share the directories of a user's
// lima.yaml through virtiofs. Each of these daemons ends with QEMU.
func (a *agent) shareDirectories(ctx context.Context, cfg qemu.Config, exe string) error {
	if *cfg.LimaYAML.MountType != limayaml.VIRTIOFS || len(cfg.LimaYAML.Mounts) == 0 {
		return nil
	}
	program, err := qemu.FindVirtiofsd(exe)
	if err != nil {
		return fmt.Errorf("share directories with the VM: %w; install virtiofsd, or use mountType 9p", err)
	}
	for i := range cfg.LimaYAML.Mounts {
		args, err := qemu.VirtiofsdCmdline(cfg, i)
		if err != nil {
			return err
		}
		_, ended, err := process.Start(exec.Command(program, args...)) //nolint:noctx // It lives as long as QEMU.
		if err != nil {
			return fmt.Errorf("start %s: %w", program, err)
		}
		socket := filepath.Join(cfg.InstanceDir, fmt.Sprintf(filenames.VhostSock, i))
		if err := awaitFile(ctx, socket, ended); err != nil {
			return fmt.Errorf("share %s with the VM: %w", cfg.LimaYAML.Mounts[i].Location, err)
		}
	}
	return nil
}

// awaitFile waits for a file that a process makes.
func awaitFile(ctx context.Context, path string, ended <-chan error) error {
	ctx, cancel := context.WithTimeout(ctx, virtiofsdWithin)
	defer cancel()
	ticker := time.NewTicker(monitorPoll)
	defer ticker.Stop()
	for {
		if _, err := os.Stat(path); err == nil {
			return nil
		}
		select {
		case err := <-ended:
			return fmt.Errorf("the daemon for it ended: %w", err)
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}
