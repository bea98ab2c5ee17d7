package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	// answerEvery is how often a dockerd that starts is asked.
	answerEvery = 2 * time.Millisecond
	// stopWithin is how long a dockerd may take to end.
	stopWithin = time.Minute
)

// dockerd is an engine of the benchmark's own, so that measurements begin with
// an engine that answers. It shares nothing with an engine of the machine. Its
// containers live on when it ends, as they do when a user upgrades Docker.
type dockerd struct {
	dir     string
	engine  *engine
	process *exec.Cmd
	exited  chan struct{}
	log     *os.File
}

// startDockerd starts $RDD_DOCKERD with $RDD_DOCKERD_ARGS.
func startDockerd(ctx context.Context, dir string) (*dockerd, error) {
	d := &dockerd{dir: dir}
	d.engine = newEngine(d.socket())
	var err error
	if d.log, err = os.Create(filepath.Join(dir, "dockerd.log")); err != nil {
		return nil, fmt.Errorf("make dockerd's log: %w", err)
	}
	if _, err = d.up(ctx); err != nil {
		return nil, errors.Join(err, d.close(ctx))
	}
	return d, nil
}

func (d *dockerd) socket() string { return filepath.Join(d.dir, "docker.sock") }

// link is where the daemon finds the engine: the socket, or what stands in for it.
func (d *dockerd) link() string { return filepath.Join(d.dir, "engine.sock") }

// pointTo makes the link lead to a socket.
func (d *dockerd) pointTo(socket string) error {
	next := d.link() + ".new"
	if err := errors.Join(os.Symlink(socket, next), os.Rename(next, d.link())); err != nil {
		return fmt.Errorf("point the daemon to an engine: %w", err)
	}
	return nil
}

// up starts it, and returns when it first answered.
func (d *dockerd) up(ctx context.Context) (time.Time, error) {
	args := append(strings.Fields(os.Getenv("RDD_DOCKERD_ARGS")),
		"--data-root", filepath.Join(d.dir, "data"), "--exec-root", filepath.Join(d.dir, "exec"),
		"--pidfile", filepath.Join(d.dir, "pid"), "--host", "unix://"+d.socket(),
		"--bridge", "none", "--iptables=false", "--ip6tables=false", "--live-restore")
	// Not bound to ctx: it has to end cleanly, not by a kill.
	d.process = exec.Command(cmp.Or(os.Getenv("RDD_DOCKERD"), "dockerd"), args...) //nolint:gosec // the tester's own choice
	d.process.Stdout, d.process.Stderr = d.log, d.log
	// A group of its own: an interrupt of the benchmark must not reach it first.
	d.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := d.process.Start(); err != nil {
		d.process = nil
		return time.Time{}, fmt.Errorf("start dockerd (Debian's docker.io has it): %w", err)
	}
	exited := make(chan struct{})
	d.exited = exited
	go func(process *exec.Cmd) { _ = process.Wait(); close(exited) }(d.process)
	return d.answered(ctx)
}

func (d *dockerd) answered(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, stopWithin)
	defer cancel()
	tick := time.NewTicker(answerEvery)
	defer tick.Stop()
	for {
		err := d.engine.call(ctx, http.MethodGet, "/_ping", nil, nil)
		if err == nil {
			return time.Now(), nil
		}
		select {
		case <-tick.C:
		case <-d.exited:
			return time.Time{}, fmt.Errorf("dockerd ended before it answered; see %s", d.log.Name())
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("wait for dockerd to answer: %w", errors.Join(ctx.Err(), err))
		}
	}
}

// down ends it by SIGTERM.
func (d *dockerd) down() error {
	if d.process == nil {
		return nil
	}
	// It may have ended by itself.
	_ = d.process.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.exited:
		return nil
	case <-time.After(stopWithin):
		_ = d.process.Process.Kill()
		<-d.exited
		return errors.New("dockerd did not end by itself")
	}
}

// close ends it and its containers.
func (d *dockerd) close(ctx context.Context) error {
	if d.process == nil {
		return d.log.Close()
	}
	var errs []error
	running, err := d.engine.containers(ctx)
	errs = append(errs, err)
	for _, c := range running {
		if c.State == "running" {
			errs = append(errs, d.engine.removeContainer(ctx, c.ID))
		}
	}
	errs = append(errs, d.down(), d.log.Close())
	unmountBelow(d.dir)
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
