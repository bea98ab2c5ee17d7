//go:build linux

package dockerd

import (
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
	// StopWithin is how long a dockerd may take to start, and how long to end.
	StopWithin = time.Minute
	// answerEvery is how often one that starts is asked.
	answerEvery = 2 * time.Millisecond
	// tries are how often one that ends at once is started.
	tries = 3
)

// Daemon is a real engine that shares nothing with another one of the machine:
// own directories, socket and pid file, no bridge and no packet filter rules. It
// needs root and leaves no trace. Its methods are for one goroutine at a time.
type Daemon struct {
	// API is for whoever talks to it past the daemon.
	*API

	dir     string
	command []string
	log     *os.File
	// running is the process, or nil; exited is closed at its end.
	running *exec.Cmd
	exited  chan struct{}
}

// CommandFromEnvironment is $RDD_DOCKERD with $RDD_DOCKERD_ARGS, as make's
// ENGINE sets them, else the dockerd of $PATH.
func CommandFromEnvironment(more ...string) []string {
	command := []string{"dockerd"}
	if program := os.Getenv("RDD_DOCKERD"); program != "" {
		command[0] = program
	}
	command = append(command, strings.Fields(os.Getenv("RDD_DOCKERD_ARGS"))...)
	return append(command, more...)
}

// New prepares an engine that keeps everything in a directory, whose path must
// be short. It does not run yet.
func New(dir string, command []string) (*Daemon, error) {
	d := &Daemon{dir: dir, command: command}
	d.API = NewAPI(d.Socket())
	var err error
	if d.log, err = os.Create(filepath.Join(dir, "dockerd.log")); err != nil {
		return nil, fmt.Errorf("make dockerd's log: %w", err)
	}
	return d, nil
}

// Socket is where it listens.
func (d *Daemon) Socket() string { return filepath.Join(d.dir, "docker.sock") }

// Log is the path of what it prints.
func (d *Daemon) Log() string { return d.log.Name() }

// DataRoot is where it keeps its objects.
func (d *Daemon) DataRoot() string { return filepath.Join(d.dir, "data") }

// Up starts it, and returns when it first answered. It is started again when it
// ends at once: that is its own trouble after a kill.
func (d *Daemon) Up(ctx context.Context) (time.Time, error) {
	var errs []error
	for range tries {
		at, err := d.upOnce(ctx)
		if err == nil || d.running != nil || ctx.Err() != nil {
			return at, err
		}
		errs = append(errs, err)
	}
	return time.Time{}, errors.Join(errs...)
}

func (d *Daemon) upOnce(ctx context.Context) (time.Time, error) {
	if err := d.forgetContainerd(ctx); err != nil {
		return time.Time{}, err
	}
	args := append(d.command[1:len(d.command):len(d.command)],
		"--data-root", d.DataRoot(), "--exec-root", filepath.Join(d.dir, "exec"),
		"--pidfile", filepath.Join(d.dir, "pid"), "--host", "unix://"+d.Socket(),
		"--bridge", "none", "--iptables=false", "--ip6tables=false")
	// Not bound to ctx: it has to end cleanly, not by a kill.
	cmd := exec.Command(d.command[0], args...) //nolint:gosec // the tester's own choice
	cmd.Stdout, cmd.Stderr = d.log, d.log
	// A group of its own: an interrupt of this program must not reach it first.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return time.Time{}, fmt.Errorf("start dockerd (Debian's docker.io has it): %w", err)
	}
	exited := make(chan struct{})
	d.running, d.exited = cmd, exited
	go func() { _ = cmd.Wait(); close(exited) }()
	return d.answered(ctx)
}

// answered waits until a ping is answered: the socket is there earlier.
func (d *Daemon) answered(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, StopWithin)
	defer cancel()
	tick := time.NewTicker(answerEvery)
	defer tick.Stop()
	for {
		err := d.Call(ctx, http.MethodGet, "/_ping", nil, nil)
		if err == nil {
			return time.Now(), nil
		}
		select {
		case <-tick.C:
		case <-d.exited:
			d.running = nil
			return time.Time{}, fmt.Errorf("dockerd ended before it answered; see %s", d.Log())
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("wait for dockerd to answer: %w", errors.Join(ctx.Err(), err))
		}
	}
}

// Signal sends one to the process alone. With SIGSTOP it accepts connections and
// answers nothing until SIGCONT.
func (d *Daemon) Signal(sig syscall.Signal) error {
	if d.running == nil {
		return errors.New("no dockerd runs")
	}
	if err := d.running.Process.Signal(sig); err != nil {
		return fmt.Errorf("send dockerd %v: %w", sig, err)
	}
	return nil
}
