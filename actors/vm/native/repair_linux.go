package native

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// endsWithin limits the end of an engine whose containers keep running.
const endsWithin = 20 * time.Second

// endpointGone reports whether a running engine has no usable socket: the file is
// missing, is not a socket, or nothing listens on it. err is from a ping.
func endpointGone(k kind, err error) bool {
	info, statErr := os.Lstat(k.socket)
	switch {
	case errors.Is(statErr, fs.ErrNotExist):
		return true
	case statErr != nil:
		return false
	default:
		return info.Mode().Type() != fs.ModeSocket || errors.Is(err, syscall.ECONNREFUSED)
	}
}

// socketWithin is how long a starting engine may take to make its socket.
const socketWithin = 10 * time.Second

// isSocketMissing reports whether a running engine has no usable socket. It gives an
// engine that is still starting the time to make one.
func isSocketMissing(ctx context.Context, k kind, p process.Process) bool {
	ctx, cancel := context.WithTimeout(ctx, socketWithin)
	defer cancel()
	for p.Alive() {
		if err := ping(ctx, k); err == nil || !endpointGone(k, err) {
			return false
		}
		select {
		case <-ctx.Done():
			return errors.Is(ctx.Err(), context.DeadlineExceeded)
		case <-time.After(pollEvery):
		}
	}
	return false
}

// Repair implements vm.Driver. It ends the engine, so that the next Start makes a new
// socket. The containers keep running.
func (d *Driver) Repair(ctx context.Context) error {
	k, p, ok := d.findRunning()
	if !ok {
		return nil
	}
	switch {
	case rootless():
		return vm.Permanent(fmt.Errorf("a restart of a rootless %s ends its containers: run 'rdd stop' and 'rdd start' to accept that", k.program))
	case k.engine == appv1.EngineMoby && !liveRestore(k):
		return vm.Permanent(fmt.Errorf("live-restore is off in %s, so a restart of dockerd would end its containers: run 'rdd stop' and 'rdd start' to accept that", k.configFile))
	}
	d.log.Warn("restarting "+k.program+", whose socket is gone; its containers keep running", "pid", p.PID, "socket", k.socket)
	if err := p.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("end %s: %w", k.program, err)
	}
	if p.WaitFor(ctx, endsWithin) == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	if err := p.Signal(syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill %s: %w", k.program, err)
	}
	return p.WaitFor(ctx, forcedStop)
}

// liveRestore reports whether dockerd's configuration keeps containers running when
// dockerd ends.
func liveRestore(k kind) bool {
	data, err := os.ReadFile(k.configFile)
	var s settings
	return err == nil && json.Unmarshal(data, &s) == nil && s.LiveRestore
}
