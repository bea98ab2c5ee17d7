package lima

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// follower follows a start.
type follower struct {
	d        *Driver
	engine   appv1.EngineName
	want     limahost.Spec
	progress func(string)
	// lastProgress is the last text that was reported.
	lastProgress string
	// troubledSince is when a ready agent's engine stopped answering.
	troubledSince time.Time
}

// inTrouble reports whether the engine of a ready VM has not answered for a while. Its
// start is complete, and the health checks report its trouble.
func (f *follower) inTrouble() bool {
	if f.troubledSince.IsZero() {
		f.troubledSince = time.Now()
	}
	return time.Since(f.troubledSince) >= f.d.limits.adopt
}

// follow returns nil when the agent is ready, and the engine answers or has been in
// trouble for a while.
func (f *follower) follow(ctx context.Context, agent process.Process) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	gone := waitFor(ctx, agent)
	ticker := time.NewTicker(retryPause)
	defer ticker.Stop()
	var seen int64
	answered := time.Now()
	for {
		status, err := f.status(ctx, seen)
		if err == nil {
			answered = time.Now()
			if status.Spec != f.want {
				return fmt.Errorf("start the VM (%[3]s): the host agent (pid %[1]d) starts one with another spec (%[2]s), and rdd stops it before the retry", agent.PID, describe(status.Spec), describe(f.want))
			}
			f.report(status)
			if status.Phase != limahost.PhaseReady {
				seen = status.Revision
				continue
			}
			if err = f.answers(ctx); err == nil || f.inTrouble() {
				return nil
			}
		}
		select {
		case err := <-gone:
			if err != nil {
				return err
			}
			return f.d.ended(agent.PID)
		case <-ctx.Done():
			return fmt.Errorf("wait for the VM: %w", errors.Join(ctx.Err(), err))
		case <-ticker.C:
		}
		if silent := time.Since(answered); silent >= f.d.limits.silence {
			return fmt.Errorf("the host agent (pid %d) has not answered for %v: %w", agent.PID, silent.Round(time.Second), err)
		}
	}
}

// status requests a status that is newer than revision seen.
func (f *follower) status(ctx context.Context, seen int64) (limahost.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, f.d.limits.silence)
	defer cancel()
	return f.d.client.Status(ctx, seen)
}

// answers pings the engine, which has answered the agent already.
func (f *follower) answers(ctx context.Context) error {
	socket, err := f.d.socket(f.engine)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	if err := f.d.pingEngine(ctx, f.engine, "unix://"+socket); err != nil {
		return err
	}
	// The socket's directory is private already.
	return os.Chmod(socket, 0o600)
}

// report reports a phase, and the trouble, once.
func (f *follower) report(s limahost.Status) {
	text := phaseText(s)
	if s.Trouble != "" {
		text = strings.TrimPrefix(text+"; ", "; ") + s.Trouble
	}
	if text != "" && text != f.lastProgress {
		f.lastProgress = text
		f.progress(text)
	}
}

// phaseText returns a text such as "booting the guest (image 0.1s, disk 0.2s)". It is
// empty when the start is complete.
func phaseText(s limahost.Status) string {
	var doing string
	switch s.Phase {
	case limahost.PhaseImage:
		doing = "finding the guest's image"
	case limahost.PhaseDisk:
		doing = "making the guest's disk"
	case limahost.PhaseBoot:
		doing = "booting the guest"
	case limahost.PhaseSSH:
		doing = "waiting for a login to the guest"
	case limahost.PhaseEngine:
		doing = "waiting for the guest's engine"
	case limahost.PhaseReady:
		return ""
	default:
		doing = string(s.Phase)
	}
	if len(s.Phases) == 0 {
		return doing
	}
	var times []string
	for _, p := range s.Phases {
		times = append(times, fmt.Sprintf("%s %.1fs", p.Phase, p.Took.Seconds()))
	}
	return doing + " (" + strings.Join(times, ", ") + ")"
}
