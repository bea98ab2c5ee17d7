package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/lima"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/machine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/provision"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/status"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/watch"
)

// defaultBootTimeout is used where the daemon configured none.
const defaultBootTimeout = 5 * time.Minute

// agent is the host agent of one VM.
type agent struct {
	cfg    limahost.Config
	paths  limahost.Paths
	status *status.Broadcaster
	lima   *lima.Runtime
	log    *slog.Logger
}

func (a *agent) provisioner() *provision.Provisioner {
	return &provision.Provisioner{Spec: a.cfg.Spec, Paths: a.paths, Lima: a.lima}
}

// Load reads the configuration of the agent in a Lima home.
func Load(limaHome string) (limahost.Config, error) {
	var cfg limahost.Config
	path := limahost.Paths{LimaHome: limaHome}.Config()
	found, err := limahost.Load(path, &cfg)
	if err == nil && !found {
		err = fmt.Errorf("read %s: %w", path, fs.ErrNotExist)
	}
	if err == nil && cfg.BootTimeout <= 0 {
		cfg.BootTimeout = defaultBootTimeout
	}
	cfg.LimaHome = limaHome
	return cfg, err
}

// Run runs a host agent until the VM ends, or until ctx ends, which shuts the VM
// down. It fails at once when another agent runs. Before it releases its lock, it
// saves its exit status.
func Run(ctx context.Context, cfg limahost.Config, log *slog.Logger) (err error) {
	paths := limahost.Paths{LimaHome: cfg.LimaHome, LogDir: cfg.LogDir}
	// Other users have no access to files of the agent or of QEMU.
	syscall.Umask(0o077)
	lock, err := instance.Lock(paths.PidFile())
	if err != nil {
		if other, ok := errors.AsType[*instance.RunningError](err); ok {
			return fmt.Errorf("start the host agent of the VM in %s: another one runs, pid %d", cfg.LimaHome, other.PID)
		}
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	// The configuration may have changed before the lock was taken.
	if cfg, err = Load(cfg.LimaHome); err != nil {
		return err
	}
	exit := limahost.ExitStatus{PID: os.Getpid()}
	note, err := runLocked(ctx, cfg, paths, log)
	exit.At, exit.Note = time.Now(), note
	if err != nil {
		exit.Error = err.Error()
	}
	log.Info("the host agent exits", "error", exit.Error, "note", exit.Note)
	return errors.Join(err, saveExitStatus(paths, exit, limahost.Save))
}

// runLocked runs the agent while it holds its lock.
func runLocked(ctx context.Context, cfg limahost.Config, paths limahost.Paths, log *slog.Logger) (note string, err error) {
	if err := os.Remove(paths.ExitStatus()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("remove the exit status of the last host agent: %w", err)
	}
	if err := reserveExitStatus(paths); err != nil {
		log.Warn("cannot reserve space for the exit status, which is lost if the disk is full at exit", "error", err)
	}
	runtime, err := lima.Configure(cfg.LimaHome, log)
	if err != nil {
		return "", err
	}
	// Lima leaves temporary files when the agent is killed. The next agent removes
	// them.
	scratch := filepath.Join(cfg.LimaHome, filename.Scratch)
	if err := errors.Join(filetree.Remove(scratch), os.MkdirAll(scratch, 0o700), os.Setenv("TMPDIR", scratch)); err != nil {
		return "", fmt.Errorf("create a directory for temporary files: %w", err)
	}
	defer func() { err = errors.Join(err, filetree.Remove(scratch)) }()
	broadcaster := status.New(limahost.Status{PID: os.Getpid(), Spec: cfg.Spec})
	stop, err := status.Serve(paths.Socket(), broadcaster, log)
	if err != nil {
		return "", err
	}
	defer stop()
	a := &agent{cfg: cfg, paths: paths, status: broadcaster, lima: runtime, log: log}
	return a.runMachine(ctx)
}

// runMachine adopts or starts the machine, and observes it until it ends.
func (a *agent) runMachine(ctx context.Context) (note string, err error) {
	m, guest, err := a.adoptOrStart(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return "", nil //nolint:nilerr // The stop was requested, and no machine is left to stop.
		}
		return "", err
	}
	defer m.Release()
	note, err = watch.Run(ctx, watch.Config{
		Paths: a.paths, Socket: a.cfg.Socket, BootTimeout: a.cfg.BootTimeout, Status: a.status, Log: a.log,
		Virtiofsd: machine.Virtiofsd(a.paths),
	}, m, guest)
	return note, errors.Join(err, machine.EndVirtiofsd(context.WithoutCancel(ctx), a.paths))
}
