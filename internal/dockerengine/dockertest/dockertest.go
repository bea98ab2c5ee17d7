//go:build linux

// Package dockertest starts a real, private dockerd for a test, because what a
// Docker Engine does is known for certain only from one. It shares nothing
// with an engine that the machine may run: own directories, socket and pid
// file, no bridge and no packet filter rules, and so it needs root but leaves
// no trace.
//
// RDD_TEST_DOCKERD may name another dockerd, with arguments after it, to run
// the same tests with another version.
package dockertest

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	startTimeout = 60 * time.Second
	stopTimeout  = 30 * time.Second
)

// Daemon is a private dockerd.
type Daemon struct {
	dir     string
	command []string
	process *exec.Cmd
	exited  chan struct{}
	log     *os.File
}

// Start starts a dockerd that ends with the test, and skips the test where
// that is not possible.
func Start(tb testing.TB) *Daemon {
	tb.Helper()
	command := strings.Fields(os.Getenv("RDD_TEST_DOCKERD"))
	if len(command) == 0 {
		command = []string{"dockerd"}
	}
	if os.Geteuid() != 0 {
		tb.Skip("a private dockerd needs root")
	}
	for _, program := range []string{command[0], "containerd"} {
		if _, err := exec.LookPath(program); err != nil {
			tb.Skipf("no %s on this machine: %v", program, err)
		}
	}
	// Not tb.TempDir: a socket's path must be short.
	dir, err := os.MkdirTemp("", "dkr")
	if err != nil {
		tb.Fatal(err)
	}
	d := &Daemon{dir: dir, command: command}
	tb.Cleanup(func() { d.cleanUp(tb) })
	if d.log, err = os.Create(filepath.Join(dir, "log")); err != nil {
		tb.Fatal(err)
	}
	d.Up(tb)
	return d
}

// Endpoint is the address for a client.
func (d *Daemon) Endpoint() string { return "unix://" + d.socket() }

func (d *Daemon) socket() string { return filepath.Join(d.dir, "docker.sock") }

// Up starts the dockerd again after Down, and waits until it answers.
func (d *Daemon) Up(tb testing.TB) {
	tb.Helper()
	args := append([]string{}, d.command[1:]...)
	args = append(args,
		"--data-root", filepath.Join(d.dir, "data"), "--exec-root", filepath.Join(d.dir, "exec"),
		"--pidfile", filepath.Join(d.dir, "pid"), "--host", d.Endpoint(),
		"--bridge", "none", "--iptables=false", "--ip6tables=false")
	d.process = exec.Command(d.command[0], args...) //nolint:gosec // the tester's own choice
	d.process.Stdout, d.process.Stderr = d.log, d.log
	// A group of its own: an interrupt of the test must not reach it first.
	d.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := d.process.Start(); err != nil {
		tb.Fatalf("start dockerd: %v", err)
	}
	exited := make(chan struct{})
	d.exited = exited
	go func(process *exec.Cmd) { _ = process.Wait(); close(exited) }(d.process)
	if err := d.awaitAnswer(); err != nil {
		tb.Fatalf("dockerd does not come up: %v\n%s", err, d.logTail())
	}
}

// awaitAnswer waits until a ping is answered: the socket is there earlier.
func (d *Daemon) awaitAnswer() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if d.answers() {
			return nil
		}
		select {
		case <-tick.C:
		case <-d.exited:
			return errors.New("it has exited")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (d *Daemon) answers() bool {
	conn, err := net.DialTimeout("unix", d.socket(), time.Second)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err = conn.Write([]byte("GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")); err != nil {
		return false
	}
	answer := make([]byte, 12)
	n, err := conn.Read(answer)
	return err == nil && bytes.HasSuffix(answer[:n], []byte(" 200"))
}

// Down stops the dockerd and its containers.
func (d *Daemon) Down(tb testing.TB) {
	tb.Helper()
	d.signal(syscall.SIGTERM)
	select {
	case <-d.exited:
	case <-time.After(stopTimeout):
		tb.Errorf("dockerd does not stop; killing it\n%s", d.logTail())
		d.Kill()
	}
}

// Kill kills the dockerd; its containers live on.
func (d *Daemon) Kill() {
	d.signal(syscall.SIGKILL)
	<-d.exited
}

// Freeze stops the process, so that it accepts connections and never answers.
func (d *Daemon) Freeze() { d.signal(syscall.SIGSTOP) }

// Thaw ends Freeze.
func (d *Daemon) Thaw() { d.signal(syscall.SIGCONT) }

func (d *Daemon) signal(sig syscall.Signal) {
	// It may be gone, which is what most signals are for.
	_ = d.process.Process.Signal(sig)
}

func (d *Daemon) cleanUp(tb testing.TB) {
	if d.process != nil && d.process.Process != nil {
		d.Thaw()
		d.Down(tb)
	}
	_ = d.log.Close()
	unmountBelow(d.dir)
	if err := os.RemoveAll(d.dir); err != nil {
		tb.Logf("left behind: %v", err)
	}
}

func (d *Daemon) logTail() string {
	text, err := os.ReadFile(d.log.Name())
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-4096):])
}

// unmountBelow takes away what dockerd leaves mounted, such as the network
// namespace of the host.
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
