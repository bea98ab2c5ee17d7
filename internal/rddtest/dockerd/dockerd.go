//go:build linux

package dockerd

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

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

const (
	// StopTimeout is how long a dockerd may take to start, and how long to end.
	StopTimeout = time.Minute
	// pollInterval is how often a starting dockerd is polled.
	pollInterval = 2 * time.Millisecond
	// tries is how often a dockerd that ends at once is started.
	tries = 3
)

// Daemon is a real engine that shares nothing with other engines of the machine. It has
// its own directories, socket and pid file, and no bridge and no packet filter rules.
// It needs root. Its methods must not be called concurrently.
type Daemon struct {
	// API is the client for tests.
	*API

	dir     string
	command []string
	log     *os.File
	// running is the process, or nil. exited is closed at its end.
	running *exec.Cmd
	exited  chan struct{}
}

// commandFromEnvironment returns $RDD_DOCKERD with $RDD_DOCKERD_ARGS, which make's
// ENGINE sets, or else the dockerd of $PATH.
func commandFromEnvironment() []string {
	program := cmp.Or(os.Getenv("RDD_DOCKERD"), "dockerd")
	return append([]string{program}, strings.Fields(os.Getenv("RDD_DOCKERD_ARGS"))...)
}

// New prepares an engine with all its files in a directory, whose path must be short.
// Up starts it.
func New(dir string, command []string) (*Daemon, error) {
	d := &Daemon{dir: dir, command: command}
	d.API = NewAPI(d.Socket())
	var err error
	if d.log, err = os.Create(filepath.Join(dir, "dockerd.log")); err != nil {
		return nil, fmt.Errorf("create dockerd's log: %w", err)
	}
	return d, nil
}

// Start starts the engine of $RDD_DOCKERD, or else that of $PATH, with more arguments.
func Start(ctx context.Context, dir string, more ...string) (*Daemon, error) {
	d, err := New(dir, append(commandFromEnvironment(), more...))
	if err != nil {
		return nil, err
	}
	if _, err := d.Up(ctx); err != nil {
		return nil, errors.Join(err, d.Close(ctx))
	}
	return d, nil
}

// Socket returns the path of its socket.
func (d *Daemon) Socket() string { return filepath.Join(d.dir, "docker.sock") }

// Log returns the path of its log.
func (d *Daemon) Log() string { return d.log.Name() }

// DataRoot returns the directory of its objects.
func (d *Daemon) DataRoot() string { return filepath.Join(d.dir, "data") }

// Up starts it, and returns the time of its first answer. Up starts it again when it
// ends at once, as dockerd may after a kill.
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
	if err := d.removeContainerdPID(ctx); err != nil {
		return time.Time{}, err
	}
	args := append(d.command[1:len(d.command):len(d.command)],
		"--data-root", d.DataRoot(), "--exec-root", filepath.Join(d.dir, "exec"),
		"--pidfile", filepath.Join(d.dir, "pid"), "--host", "unix://"+d.Socket(),
		"--bridge", "none", "--iptables=false", "--ip6tables=false")
	// Not bound to ctx, which would kill it.
	cmd := exec.Command(d.command[0], args...) //nolint:gosec // the tester's choice
	cmd.Stdout, cmd.Stderr = d.log, d.log
	// Its own process group, so that an interrupt of this program does not reach it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return time.Time{}, fmt.Errorf("start dockerd (Debian's docker.io has it): %w", err)
	}
	exited := make(chan struct{})
	d.running, d.exited = cmd, exited
	go func() { _ = cmd.Wait(); close(exited) }()
	return d.answered(ctx)
}

// answered waits for an answer to a ping: the socket exists earlier.
func (d *Daemon) answered(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, StopTimeout)
	defer cancel()
	tick := time.NewTicker(pollInterval)
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

// CPU returns the processor time of the process since its start, in steps of 10 ms. That of
// containerd and of containers is not included.
func (d *Daemon) CPU() (time.Duration, error) {
	if d.running == nil {
		return 0, errors.New("dockerd does not run")
	}
	return rddtest.CPU(d.running.Process.Pid)
}

// Signal sends a signal to the process alone. After SIGSTOP it accepts connections and
// answers nothing until SIGCONT.
func (d *Daemon) Signal(sig syscall.Signal) error {
	if d.running == nil {
		return errors.New("dockerd does not run")
	}
	if err := d.running.Process.Signal(sig); err != nil {
		return fmt.Errorf("send dockerd %v: %w", sig, err)
	}
	return nil
}
