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
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest/dockerd"
)

// Daemon is a private dockerd.
type Daemon struct{ dockerd *dockerd.Daemon }

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
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Logf("left behind: %v", err)
		}
	})
	d := &Daemon{}
	if d.dockerd, err = dockerd.New(dir, command); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := d.dockerd.Close(context.Background()); err != nil {
			tb.Errorf("end dockerd: %v\n%s", err, d.logTail())
		}
	})
	d.Up(tb)
	return d
}

// Endpoint is the address for a client.
func (d *Daemon) Endpoint() string { return "unix://" + d.dockerd.Socket() }

// Up starts the dockerd again after Down, and waits until it answers.
func (d *Daemon) Up(tb testing.TB) {
	tb.Helper()
	if _, err := d.dockerd.Up(tb.Context()); err != nil {
		tb.Fatalf("dockerd does not come up: %v\n%s", err, d.logTail())
	}
}

// Down stops the dockerd and its containers.
func (d *Daemon) Down(tb testing.TB) {
	tb.Helper()
	if err := d.dockerd.Down(syscall.SIGTERM); err != nil {
		tb.Errorf("%v; it is killed\n%s", err, d.logTail())
	}
}

// Freeze stops the process, so that it accepts connections and never answers.
func (d *Daemon) Freeze(tb testing.TB) {
	tb.Helper()
	if err := d.dockerd.Signal(syscall.SIGSTOP); err != nil {
		tb.Fatal(err)
	}
}

// Thaw ends Freeze.
func (d *Daemon) Thaw(tb testing.TB) {
	tb.Helper()
	if err := d.dockerd.Signal(syscall.SIGCONT); err != nil {
		tb.Error(err)
	}
}

func (d *Daemon) logTail() string {
	text, err := os.ReadFile(d.dockerd.Log())
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-4096):])
}
