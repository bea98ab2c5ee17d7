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
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
)

// defaultBootTimeout holds where the daemon set none.
const defaultBootTimeout = 5 * time.Minute

// agent is the host agent of one VM.
type agent struct {
	cfg   limahost.Config
	paths limahost.Paths
	board *board
	lima  *lima
	log   *slog.Logger
	// tick of the heartbeat; 0 is its default.
	tick time.Duration
	// freeSpace says how many bytes are free in a directory; nil asks the kernel.
	freeSpace func(dir string) (int64, error)
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

// Run is a host agent's life: until the VM ends, or until ctx does, which shuts
// the VM down. It fails at once when another agent lives. How it ended is told by
// what it returns and, before the lock is given back, by the file of paths.End.
func Run(ctx context.Context, cfg limahost.Config, log *slog.Logger) (err error) {
	paths := limahost.Paths{LimaHome: cfg.LimaHome, LogDir: cfg.LogDir}
	// Nothing that the agent or QEMU makes is for other users.
	syscall.Umask(0o077)
	lock, err := instance.Lock(paths.PidFile())
	if err != nil {
		if other, ok := errors.AsType[*instance.RunningError](err); ok {
			return fmt.Errorf("a host agent of the VM in %s lives already, with pid %d", cfg.LimaHome, other.PID)
		}
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	// Only now nobody else starts an agent, so this is what is wanted.
	if cfg, err = Load(cfg.LimaHome); err != nil {
		return err
	}
	end := limahost.End{PID: os.Getpid()}
	note, err := live(ctx, cfg, paths, log)
	end.At, end.Note = time.Now(), note
	if err != nil {
		end.Error = err.Error()
	}
	log.Info("the host agent ends", "error", end.Error, "note", end.Note)
	if failed := saveLastWords(paths, end, limahost.Save); failed != nil {
		err = errors.Join(err, failed)
	}
	return err
}

// live does all that is done under the lock.
func live(ctx context.Context, cfg limahost.Config, paths limahost.Paths, log *slog.Logger) (note string, err error) {
	if err := os.Remove(paths.End()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("remove the last words of the last host agent: %w", err)
	}
	if err := reserveLastWords(paths); err != nil {
		log.Warn("if the disk is full when the host agent ends, nobody is told why", "error", err)
	}
	lima, err := surround(cfg.LimaHome, log)
	if err != nil {
		return "", err
	}
	// What Lima leaves behind when the agent is killed is gone with the next one.
	scratch := filepath.Join(cfg.LimaHome, "_tmp")
	if err := errors.Join(filetree.Remove(scratch), os.MkdirAll(scratch, 0o700), os.Setenv("TMPDIR", scratch)); err != nil {
		return "", fmt.Errorf("make a directory for temporary files: %w", err)
	}
	defer func() { err = errors.Join(err, filetree.Remove(scratch)) }()
	b := newBoard(limahost.Status{PID: os.Getpid(), Spec: cfg.Spec})
	stop, err := serve(paths.Socket(), b, log)
	if err != nil {
		return "", err
	}
	defer stop()
	a := &agent{cfg: cfg, paths: paths, board: b, lima: lima, log: log}
	return a.run(ctx)
}

// run brings the machine up and looks after it until it ends.
func (a *agent) run(ctx context.Context) (note string, err error) {
	m, found, err := a.bring(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return "", nil //nolint:nilerr // A stop was asked for, and there is nothing left to stop.
		}
		return "", err
	}
	defer m.close()
	return a.watch(ctx, m, found)
}
