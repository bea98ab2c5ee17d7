// Package rddtest runs the real rdd for the programs that attack it (bats/chaos)
// and measure it (bench/endtoend). The package dockerd below it runs an engine.
//
// Reading map:
//
//	daemon.go    an instance of rdd in its own home directory
//	leftover.go  processes that an instance should have ended
//	usage.go     memory, goroutines and CPU time of a daemon
package rddtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// killTimeout is how long a daemon may take to end after SIGKILL.
const killTimeout = 5 * time.Second

// Daemon is an instance of rdd with its own home directory. Its daemon may run
// or not. All methods may be called concurrently.
type Daemon struct {
	program, home, instance string
	// paths are those that 'rdd svc paths' prints, by key.
	paths map[string]string
}

// New creates the home directory, and starts nothing.
func New(ctx context.Context, program, home, instance string) (*Daemon, error) {
	if err := os.Mkdir(home, 0o700); err != nil {
		return nil, fmt.Errorf("create a home directory: %w", err)
	}
	d := &Daemon{program: program, home: home, instance: instance}
	text, err := d.Run(ctx, "svc", "paths", "-o", "json")
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(text), &d.paths); err != nil {
		return nil, fmt.Errorf("decode the paths of instance %s: %w", instance, err)
	}
	return d, nil
}

// Run runs one command of rdd, and returns what it prints to stdout, also with an
// error.
func (d *Daemon) Run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, d.program, args...) //nolint:gosec // the caller's program
	cmd.Env = append(slices.DeleteFunc(os.Environ(), redirects), "HOME="+d.home, "RDD_INSTANCE="+d.instance, "RDD_YES=1")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("rdd %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(stdout.String()), err
}

// redirects reports whether a variable leads rdd to other directories or engines.
func redirects(variable string) bool {
	return strings.HasPrefix(variable, "XDG_") || strings.HasPrefix(variable, "DOCKER_")
}

// Kubeconfig returns the path of the kubeconfig.
func (d *Daemon) Kubeconfig() string { return d.paths["config"] }

// RESTConfig returns the configuration of a client without a rate limit. The port
// changes when another program has taken it between two starts.
func (d *Daemon) RESTConfig() (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", d.Kubeconfig())
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	config.QPS = -1
	return config, nil
}

// Process returns the process of the daemon, if it runs.
func (d *Daemon) Process() (process.Process, bool) {
	text, err := os.ReadFile(d.paths["pid_file"])
	if err != nil {
		return process.Process{}, false
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || !d.owns(pid) {
		return process.Process{}, false
	}
	return process.Find(pid)
}

// Kill ends the daemon by SIGKILL and waits for its end. It returns nil when no
// daemon runs.
func (d *Daemon) Kill(ctx context.Context) error {
	p, ok := d.Process()
	if !ok {
		return nil
	}
	if err := p.Signal(syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill the daemon: %w", err)
	}
	return p.WaitFor(ctx, killTimeout)
}

// Remove ends the daemon, in any state, and removes the instance.
func (d *Daemon) Remove(ctx context.Context) error {
	if _, err := d.Run(ctx, "svc", "delete"); err != nil {
		return errors.Join(err, d.Kill(ctx))
	}
	return nil
}

// Sleep returns after d, or with the error of ctx.
func Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
