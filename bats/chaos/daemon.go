package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

const (
	// startWithin is how long a daemon may take to be ready again.
	startWithin = 30 * time.Second
	// answerWithin is how long the API server may take for one request.
	answerWithin = 5 * time.Second
)

// errNoDaemon says that there is no API server to ask at the moment.
var errNoDaemon = errors.New("the daemon is down")

// daemon is the real rdd, in a home of its own.
type daemon struct {
	program, home string
	// config is the path of the kubeconfig, and pidFile that of the daemon's pid.
	config, pidFile string
	api             atomic.Pointer[client.Client]
}

// rdd runs one command and returns what it printed to stdout, also with an error.
func (d *daemon) rdd(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, d.program, args...) //nolint:gosec // the tester's own choice
	cmd.Env = append(slices.DeleteFunc(os.Environ(), elsewhere), "HOME="+d.home, "RDD_INSTANCE=chaos")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("rdd %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(stdout.String()), nil
}

// elsewhere is whether a variable would lead rdd to other directories or engines.
func elsewhere(variable string) bool {
	return strings.HasPrefix(variable, "XDG_") || strings.HasPrefix(variable, "DOCKER_") || strings.HasPrefix(variable, "RDD_")
}

// locate asks where the instance keeps its files.
func (d *daemon) locate(ctx context.Context) error {
	var err error
	if d.config, err = d.rdd(ctx, "svc", "paths", "config"); err != nil {
		return err
	}
	d.pidFile, err = d.rdd(ctx, "svc", "paths", "pid_file")
	return err
}

// start starts the daemon, waits until it is ready, and makes a client for it.
func (d *daemon) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	if _, err := d.rdd(ctx, "svc", "start"); err != nil {
		return err
	}
	// The port may be another one than before.
	config, err := clientcmd.BuildConfigFromFlags("", d.config)
	if err != nil {
		return fmt.Errorf("read the kubeconfig: %w", err)
	}
	config.QPS, config.Timeout = -1, answerWithin
	scheme, err := kube.NewScheme()
	if err != nil {
		return err
	}
	api, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	d.api.Store(&api)
	return nil
}

// client is for the daemon that runs.
func (d *daemon) client() (client.Client, error) {
	if api := d.api.Load(); api != nil {
		return *api, nil
	}
	return nil, errNoDaemon
}

// kill ends the daemon without a word. It is no error that none runs.
func (d *daemon) kill(ctx context.Context) error {
	p, ok := d.process()
	if !ok {
		return nil
	}
	if err := p.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	return p.WaitFor(ctx, answerWithin)
}

// process is the daemon's, if it runs.
func (d *daemon) process() (process.Process, bool) {
	text, err := os.ReadFile(d.pidFile)
	if err != nil {
		return process.Process{}, false
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || !d.owns(pid) {
		return process.Process{}, false
	}
	return process.Find(pid)
}

// owns is whether a process runs in the daemon's home, and so was begun by it.
func (d *daemon) owns(pid int) bool {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "environ"))
	return err == nil && slices.Contains(strings.Split(string(text), "\x00"), "HOME="+d.home)
}

// leftovers tells of processes that are the daemon's and should not be there:
// any but the daemon itself, and zombies that it did not take the end of.
func (d *daemon) leftovers() []string {
	self, _ := d.process()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return []string{err.Error()}
	}
	var found []string
	for _, file := range stats {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		text, readErr := os.ReadFile(file)
		if err != nil || readErr != nil || pid == self.PID {
			continue // it has ended
		}
		// After the name, in parentheses, come the state and the parent.
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		child := self.PID != 0 && len(fields) > 1 && fields[1] == strconv.Itoa(self.PID)
		if child || d.owns(pid) {
			found = append(found, fmt.Sprintf("process %d of rdd is left: %s", pid, bytes.TrimSpace(text[:min(len(text), 80)])))
		}
	}
	return found
}

// size is what a daemon takes up.
type size struct {
	rss        int64 // bytes
	goroutines int64
}

// size reads the daemon's metrics.
func (d *daemon) size(ctx context.Context) (size, error) {
	text, err := d.rdd(ctx, "ctl", "get", "--raw", "/metrics")
	if err != nil {
		return size{}, err
	}
	var s size
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		number, err := strconv.ParseFloat(value, 64)
		switch {
		case err != nil:
		case name == "process_resident_memory_bytes":
			s.rss = int64(number)
		case name == "go_goroutines":
			s.goroutines = int64(number)
		}
	}
	if s.rss == 0 || s.goroutines == 0 {
		return s, errors.New("the daemon's metrics do not tell its size")
	}
	return s, nil
}
