//go:build linux

// Package dockertest starts a real, private dockerd for a test, and prepares an engine
// through moby's client. The dockerd shares nothing with an engine that the machine may
// run: it has its own directories, socket and pid file, no bridge and no packet filter
// rules. It needs root and leaves no trace.
//
// RDD_TEST_DOCKERD may name another dockerd, with arguments after it, to run the same
// tests with another version.
//
// Reading map: dockertest.go starts a dockerd, registry.go a registry, image.go imports
// images. fixture.go, fixture_health.go, fixture_resources.go, buildcache.go and purge.go
// prepare an engine for the suite of enginetest.
package dockertest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest/dockerd"
)

// Daemon is a private dockerd.
type Daemon struct {
	dockerd *dockerd.Daemon
	isUp    bool
}

// Start starts a dockerd that ends with the test, and skips the test where
// that is not possible.
func Start(tb testing.TB) *Daemon {
	tb.Helper()
	command := strings.Fields(os.Getenv("RDD_TEST_DOCKERD"))
	if len(command) == 0 {
		command = []string{"dockerd"}
	}
	return start(tb, command)
}

// StartCurrent is Start for the current dockerd, which `make engine-current` builds
// into a directory of the repository.
func StartCurrent(tb testing.TB) *Daemon {
	tb.Helper()
	root, err := filepath.Abs(".")
	if err != nil {
		tb.Fatal(err)
	}
	for !isFile(filepath.Join(root, "go.mod")) && root != filepath.Dir(root) {
		root = filepath.Dir(root)
	}
	dir := filepath.Join(root, ".cache", "engine-current")
	if !isFile(filepath.Join(dir, "dockerd")) {
		tb.Skipf("no current dockerd in %s: 'make engine-current' builds it", dir)
	}
	return start(tb, []string{
		filepath.Join(dir, "dockerd"), "--add-runtime", "current=" + filepath.Join(dir, "runc"), "--default-runtime", "current",
		"--userland-proxy-path", filepath.Join(dir, "docker-proxy"),
	})
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func start(tb testing.TB, command []string) *Daemon {
	tb.Helper()
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

// IsUp reports whether the dockerd runs: Down has not stopped it.
func (d *Daemon) IsUp() bool { return d.isUp }

// Up starts the dockerd again after Down, and waits until it answers.
func (d *Daemon) Up(tb testing.TB) {
	tb.Helper()
	// Not the context of the test, which has ended when this cleans up.
	if _, err := d.dockerd.Up(context.Background()); err != nil {
		tb.Fatalf("dockerd does not come up: %v\n%s", err, d.logTail())
	}
	d.isUp = true
}

// Down stops the dockerd and its containers.
func (d *Daemon) Down(tb testing.TB) {
	tb.Helper()
	d.isUp = false
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
