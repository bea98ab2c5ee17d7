//go:build linux

package dockerd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

const (
	// containerdTimeout is how long the containerd of a killed dockerd may take to
	// end.
	containerdTimeout = 5 * time.Second
	// mountListings is how often the mounts are listed.
	mountListings = 3
)

// Down ends it by SIGTERM or SIGKILL and waits for its end. After StopTimeout it kills
// it and returns an error. Containers keep running after SIGKILL, and always with
// --live-restore. Down returns nil when it does not run.
func (d *Daemon) Down(sig syscall.Signal) error {
	if d.running == nil {
		return nil
	}
	_ = d.Signal(sig) // it may have ended by itself
	var late error
	select {
	case <-d.exited:
	case <-time.After(StopTimeout):
		late = fmt.Errorf("dockerd did not end within %s of %v", StopTimeout, sig)
		_ = d.Signal(syscall.SIGKILL)
		<-d.exited
	}
	d.running = nil
	return late
}

// Close ends it, and everything that it has started. The caller removes its directory.
func (d *Daemon) Close(ctx context.Context) error {
	var errs []error
	if d.running != nil {
		_ = d.Signal(syscall.SIGCONT) // in case it is stopped
		errs = append(errs, d.endContainers(ctx), d.Down(syscall.SIGTERM))
	}
	for _, p := range process.All() {
		// No other command line contains this directory.
		if p.PID != os.Getpid() && strings.Contains(strings.Join(p.Args(), " "), d.dir+"/exec/") {
			errs = append(errs, p.Signal(syscall.SIGKILL))
		}
	}
	unmountBelow(d.dir)
	return errors.Join(append(errs, d.log.Close())...)
}

// endContainers removes the containers that have a process, until none has: a client may
// be removing one already, which the engine answers with 404 or 409. A container whose
// removal failed has no process, and goes with the directory.
func (d *Daemon) endContainers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, StopTimeout)
	defer cancel()
	for {
		all, err := d.Containers(ctx)
		if err != nil {
			return fmt.Errorf("list the containers to end: %w", err)
		}
		all = slices.DeleteFunc(all, func(c Container) bool {
			return !slices.Contains([]string{"running", "paused", "restarting"}, c.State)
		})
		if len(all) == 0 {
			return nil
		}
		for _, c := range all {
			err := d.RemoveContainer(ctx, c.ID)
			var answer *AnswerError
			if errors.As(err, &answer) && (answer.Status == http.StatusNotFound || answer.Status == http.StatusConflict) {
				continue
			}
			if err != nil {
				return err
			}
		}
		select {
		case <-time.After(pollInterval):
		case <-ctx.Done():
			return fmt.Errorf("end the containers: %w", ctx.Err())
		}
	}
}

// removeContainerdPID waits for the end of the containerd of a killed dockerd, and
// removes its pid file: dockerd would take a zombie with this pid for a running
// containerd, and wait for it.
func (d *Daemon) removeContainerdPID(ctx context.Context) error {
	file := filepath.Join(d.dir, "exec", "containerd", "containerd.pid")
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the pid of a killed dockerd's containerd: %w", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if p, alive := process.Find(pid); err == nil && alive && strings.Contains(strings.Join(p.Args(), " "), d.dir) {
		if err := p.WaitFor(ctx, containerdTimeout); err != nil {
			return fmt.Errorf("wait for the end of containerd: %w", err)
		}
	}
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the pid of a killed dockerd's containerd: %w", err)
	}
	return nil
}

// unmountBelow unmounts what dockerd leaves mounted, such as the network namespace
// of the host. It lists the mounts several times: the kernel may leave one out when
// another program unmounts something at the same moment.
func unmountBelow(dir string) {
	for range mountListings {
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
}
