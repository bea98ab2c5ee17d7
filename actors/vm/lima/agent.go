package lima

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// launch starts a host agent for spec and returns when the agent holds its lock. When
// ctx ends, it kills an agent without its lock: that agent has done nothing yet, and no
// daemon could find it.
func (d *Driver) launch(ctx context.Context, spec limahost.Spec) (process.Process, error) {
	if err := d.prepare(spec); err != nil {
		return process.Process{}, err
	}
	cmd, err := d.command()
	if err != nil {
		return process.Process{}, err
	}
	log, err := openLog(d.paths.AgentLog())
	if err != nil {
		return process.Process{}, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := ctx.Err(); err != nil {
		return process.Process{}, err
	}
	child, ended, err := process.Start(cmd)
	if err != nil {
		return process.Process{}, fmt.Errorf("start the host agent: %w", err)
	}
	d.log.Info("started the host agent", "pid", child.PID, "log", d.paths.AgentLog())
	return d.awaitLock(ctx, child, ended)
}

// awaitLock returns the agent that holds the lock: the child, or another process that
// took the lock before.
func (d *Driver) awaitLock(ctx context.Context, child process.Process, ended <-chan error) (process.Process, error) {
	ctx, cancel := context.WithTimeout(ctx, d.limits.lock)
	defer cancel()
	ticker := time.NewTicker(lockPoll)
	defer ticker.Stop()
	for {
		p, err := d.agent()
		switch {
		case err != nil:
		case p.PID == child.PID:
			return p, nil
		case p.PID != 0:
			d.log.Warn("another host agent has the lock", "pid", p.PID, "child", child.PID)
			return p, nil
		}
		select {
		case err := <-ended:
			d.log.Warn("the host agent exited before it had its lock", "pid", child.PID, "error", err)
			if p, err := d.agent(); err == nil && p.PID != 0 {
				return p, nil
			}
			return process.Process{}, d.ended(child.PID)
		case <-ctx.Done():
			_ = child.Signal(syscall.SIGKILL)
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return process.Process{}, fmt.Errorf("start the host agent: pid %d did not take its lock within %v and was killed%s", child.PID, d.limits.lock, d.logHint())
			}
			return process.Process{}, ctx.Err()
		case <-ticker.C:
		}
	}
}

// prepare writes the agent's configuration, and removes the last exit status.
func (d *Driver) prepare(spec limahost.Spec) error {
	socket, err := d.socket(vmSpec(spec).Engine)
	if err != nil {
		return err
	}
	for _, dir := range []string{d.cfg.Home, d.cfg.LogDir} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("create a directory of the VM: %w", err)
		}
	}
	if err := removeFile(d.paths.ExitStatus()); err != nil {
		return err
	}
	_, boot := d.bounds(vmSpec(spec))
	return limahost.Save(d.paths.Config(), limahost.Config{
		LimaHome: d.cfg.Home, LogDir: d.cfg.LogDir, Socket: socket, Spec: spec, BootTimeout: boot,
	})
}

// envAgent is set for each process that is started as a host agent.
const envAgent = "RDD_HOSTAGENT"

// command returns the agent's command, with additional arguments before the last one.
func (d *Driver) command(more ...string) (*exec.Cmd, error) {
	if d.cfg.Getenv(envAgent) != "" {
		// A program other than rdd could ignore its arguments, and start itself
		// endlessly.
		return nil, fmt.Errorf("a host agent starts no host agents: unset %s, which marks this process as one", envAgent)
	}
	program := d.cfg.Program
	if len(program) == 0 {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("find the host agent's program: %w", err)
		}
		program = []string{self, "hostagent"}
	}
	args := slices.Concat(program[1:], more, []string{d.cfg.Home})
	cmd := exec.Command(program[0], args...)
	cmd.Env = append(process.Environ(), envAgent+"=1")
	return cmd, nil
}

// openLog opens the log for the agent's standard output, which has the reason of a
// crash. The agent itself writes and rotates the log.
func openLog(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the host agent's log: %w", err)
	}
	return f, nil
}

// removeFile removes a file. A missing file is no error.
func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", path, err)
	}
	return nil
}
