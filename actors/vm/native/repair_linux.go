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

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// endsWithin is how long an engine may take to end whose containers stay.
const endsWithin = 20 * time.Second

// endpointGone is whether an engine that runs cannot be reached at its socket any
// more, after an attempt with this error: the file is not there, is no socket, or
// nothing listens at it.
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

// socketWithin is how long an engine that has just been started may take to make its
// socket.
const socketWithin = 10 * time.Second

// hasLostSocket reports whether an engine that runs has no socket any more. One that
// was started a moment ago has none yet.
func hasLostSocket(ctx context.Context, k kind, p process.Process) bool {
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

// Repair implements vm.Driver. An engine makes its socket when it starts, and its
// containers keep running while another one takes over.
func (d *Driver) Repair(ctx context.Context) error {
	k, p, ok := d.running()
	if !ok {
		return nil
	}
	switch {
	case rootless():
		return fmt.Errorf("a rootless %s ends its containers when it is restarted; 'rdd stop' and 'rdd start' do that", k.program)
	case k.engine == appv1.EngineMoby && !liveRestore(k):
		return fmt.Errorf("%s says that live-restore is off, so that a restart of dockerd ends its containers; 'rdd stop' and 'rdd start' do that", k.configFile)
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

// liveRestore is whether dockerd was last configured to leave its containers alone
// when it ends.
func liveRestore(k kind) bool {
	data, err := os.ReadFile(k.configFile)
	var s settings
	return err == nil && json.Unmarshal(data, &s) == nil && s.LiveRestore
}
