package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// engineWithin is how long a dockerd may take to start or to end.
const engineWithin = time.Minute

// tries are how often a dockerd that does not come up is started.
const tries = 3

// dockerd is a real engine that shares nothing with another one of the machine.
// Without live-restore its containers end with it.
type dockerd struct {
	dir    string
	engine *engine
	log    *os.File
	// running is the process, or nil.
	running *exec.Cmd
	exited  chan struct{}
}

func newDockerd(dir, logs string) (*dockerd, error) {
	d := &dockerd{dir: dir}
	d.engine = newEngine(d.socket())
	var err error
	if d.log, err = os.Create(filepath.Join(logs, "dockerd.log")); err != nil {
		return nil, fmt.Errorf("make dockerd's log: %w", err)
	}
	return d, nil
}

func (d *dockerd) socket() string { return filepath.Join(d.dir, "docker.sock") }

// up starts an engine, and again when it ends at once: that is the engine's own
// trouble after a kill, and not what is looked at here.
func (d *dockerd) up(ctx context.Context) error {
	var errs []error
	for range tries {
		err := d.upOnce(ctx)
		if err == nil || d.running != nil || ctx.Err() != nil {
			return err
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// upOnce starts $RDD_DOCKERD with $RDD_DOCKERD_ARGS and waits until it answers.
func (d *dockerd) upOnce(ctx context.Context) error {
	if err := d.forgetContainerd(ctx); err != nil {
		return err
	}
	args := append(strings.Fields(os.Getenv("RDD_DOCKERD_ARGS")),
		"--data-root", filepath.Join(d.dir, "data"), "--exec-root", filepath.Join(d.dir, "exec"),
		"--pidfile", filepath.Join(d.dir, "pid"), "--host", "unix://"+d.socket(),
		"--bridge", "none", "--iptables=false", "--ip6tables=false")
	cmd := exec.Command(cmp.Or(os.Getenv("RDD_DOCKERD"), "dockerd"), args...) //nolint:gosec // the tester's own choice
	cmd.Stdout, cmd.Stderr = d.log, d.log
	// An interrupt of this program must not reach it first.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start dockerd (Debian's docker.io has it): %w", err)
	}
	exited := make(chan struct{})
	d.running, d.exited = cmd, exited
	go func() { _ = cmd.Wait(); close(exited) }()
	ctx, cancel := context.WithTimeout(ctx, engineWithin)
	defer cancel()
	for {
		err := d.engine.call(ctx, http.MethodGet, "/_ping", nil, nil)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-exited:
			d.running = nil
			return fmt.Errorf("dockerd ended before it answered; see %s", d.log.Name())
		case <-ctx.Done():
			return fmt.Errorf("wait for dockerd to answer: %w", errors.Join(ctx.Err(), err))
		}
	}
}

// forgetContainerd waits until the containerd of a killed dockerd has ended with
// it, and removes its pid: dockerd takes a zombie with this pid for a containerd
// that runs, and waits for it in vain.
func (d *dockerd) forgetContainerd(ctx context.Context) error {
	file := filepath.Join(d.dir, "exec", "containerd", "containerd.pid")
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for the containerd of a dockerd that was killed: %w", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if p, alive := process.Find(pid); err == nil && alive && strings.Contains(strings.Join(p.Args(), " "), d.dir) {
		if err := p.WaitFor(ctx, answerWithin); err != nil {
			return fmt.Errorf("wait for the end of containerd: %w", err)
		}
	}
	return os.Remove(file)
}

// signal sends one to the process alone.
func (d *dockerd) signal(sig syscall.Signal) error {
	if d.running == nil {
		return errors.New("no dockerd runs")
	}
	if err := d.running.Process.Signal(sig); err != nil {
		return fmt.Errorf("send dockerd %v: %w", sig, err)
	}
	return nil
}

// down ends it by a signal and waits until it has ended.
func (d *dockerd) down(sig syscall.Signal) error {
	if err := d.signal(sig); err != nil {
		return err
	}
	select {
	case <-d.exited:
		d.running = nil
		return nil
	case <-time.After(engineWithin):
		return fmt.Errorf("dockerd did not end within %s of %v", engineWithin, sig)
	}
}

// close ends it and everything that it has started.
func (d *dockerd) close(ctx context.Context) error {
	var errs []error
	if d.running != nil {
		_ = d.signal(syscall.SIGCONT) // in case that it is stopped; else this does nothing
		if all, err := d.engine.containers(ctx); err == nil {
			for _, c := range all {
				errs = append(errs, d.engine.removeContainer(ctx, c.ID))
			}
		}
		errs = append(errs, d.down(syscall.SIGTERM))
	}
	for _, p := range process.All() {
		// Nobody else's command line has this directory in it.
		if p.PID != os.Getpid() && strings.Contains(strings.Join(p.Args(), " "), d.dir+"/exec/") {
			errs = append(errs, p.Signal(syscall.SIGKILL))
		}
	}
	unmountBelow(d.dir)
	d.log.Close()
	return errors.Join(errs...)
}

// unmountBelow takes away what dockerd leaves mounted.
func unmountBelow(dir string) {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return
	}
	for line := range strings.Lines(string(mounts)) {
		fields := strings.Fields(line)
		if len(fields) > 1 && strings.HasPrefix(fields[1], dir+"/") {
			_ = syscall.Unmount(fields[1], syscall.MNT_DETACH)
		}
	}
}
