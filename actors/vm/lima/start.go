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
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// Start implements vm.Driver.
func (d *Driver) Start(ctx context.Context, spec messages.VMSpec, progress func(string)) (string, error) {
	if err := d.checkSockets(spec.Engine); err != nil {
		return "", err
	}
	f := follower{d: d, engine: spec.Engine, want: hostSpec(spec), progress: progress}
	bounded, cancel := context.WithTimeout(ctx, d.StartWithin(spec))
	defer cancel()
	agent, err := d.bring(bounded, hostSpec(spec), progress)
	if err == nil {
		err = f.follow(bounded, agent)
	}
	switch {
	case err == nil:
		socket, _ := d.socket(spec.Engine)
		return "unix://" + socket, nil
	case ctx.Err() != nil:
		return "", fmt.Errorf("start the VM: %w", ctx.Err())
	case bounded.Err() != nil:
		return "", fmt.Errorf("the VM did not come up within %v; it was at this: %s%s", d.StartWithin(spec), f.told, d.logHint())
	default:
		return "", err
	}
}

// bring returns the living host agent of a VM of this spec: the one that was
// found, or a new one, which takes over a machine that runs.
func (d *Driver) bring(ctx context.Context, spec limahost.Spec, progress func(string)) (process.Process, error) {
	s, err := d.look()
	if err != nil {
		return process.Process{}, err
	}
	if !s.nothing() && s.spec != spec {
		return process.Process{}, fmt.Errorf("a VM of another kind runs (%s) and must be stopped before this one can start (%s)", describe(s.spec), describe(spec))
	}
	switch {
	case s.agent.PID != 0:
		progress(fmt.Sprintf("adopting the VM, host agent %d", s.agent.PID))
		if err := d.usable(ctx, s); err == nil {
			return s.agent, nil
		} else if err := d.replace(ctx, s.agent, err); err != nil {
			return process.Process{}, err
		}
	case s.machine.PID != 0:
		progress(fmt.Sprintf("taking over the VM, QEMU %d", s.machine.PID))
	default:
		progress("starting the host agent")
	}
	return d.launch(ctx, spec)
}

func describe(s limahost.Spec) string {
	return fmt.Sprintf("%s, %d CPUs, %d MiB of memory, disk of %d MiB, image %q, acceleration %s, restart %q, reset %q",
		s.Engine, s.CPUs, s.Memory>>20, s.Disk>>20, s.Image, s.Acceleration, s.Restart, s.Reset)
}

// usable returns nil when the agent that was found answers and has a machine, or
// is about to have one.
func (d *Driver) usable(ctx context.Context, s sight) error {
	ctx, cancel := context.WithTimeout(ctx, d.limits.answer)
	defer cancel()
	ticker := time.NewTicker(askAgain)
	defer ticker.Stop()
	for {
		status, err := d.client.Status(ctx, 0)
		switch {
		case err == nil && s.machine.PID == 0 && status.Phase == limahost.PhaseReady && !inProcess(status):
			// It is about to end, and to say why.
			return errors.Join(errors.New("its machine is gone"), s.agent.Wait(ctx))
		case err == nil:
			return nil
		case !s.agent.Alive():
			return errors.New("it has ended")
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it does not answer: %w", err)
		case <-ticker.C:
		}
	}
}

// replace ends an agent that is of no use, which leaves its machine alone.
func (d *Driver) replace(ctx context.Context, agent process.Process, why error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	d.log.Warn("the host agent is replaced by another one", "pid", agent.PID, "reason", why)
	if err := d.kill(ctx, agent); err != nil {
		return fmt.Errorf("end a host agent that is of no use: %w", err)
	}
	return nil
}

// follower watches a start.
type follower struct {
	d        *Driver
	engine   appv1.EngineName
	want     limahost.Spec
	progress func(string)
	// told is what progress was told last.
	told string
	// troubled is since when the agent has all ready and the engine does not answer.
	troubled time.Time
}

// inTrouble is whether a VM that came up once has not answered for a while. The
// start of it is over: what is wrong with it is for the health checks to tell.
func (f *follower) inTrouble() bool {
	if f.troubled.IsZero() {
		f.troubled = time.Now()
	}
	return time.Since(f.troubled) >= f.d.limits.adopt
}

// follow returns nil when the agent says that all is ready, and the engine
// answers, or did when the agent looked and is in trouble since.
func (f *follower) follow(ctx context.Context, agent process.Process) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	gone := waitFor(ctx, agent)
	pause := time.NewTicker(askAgain)
	defer pause.Stop()
	var seen int64
	heard := time.Now()
	for {
		status, err := f.status(ctx, seen)
		if err == nil {
			heard = time.Now()
			if status.Spec != f.want {
				return fmt.Errorf("the host agent (pid %d) brings up another VM (%s) than was asked for (%s); it is stopped before the next try", agent.PID, describe(status.Spec), describe(f.want))
			}
			f.tell(status)
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
		case <-pause.C:
		}
		if silent := time.Since(heard); silent >= f.d.limits.silence {
			return fmt.Errorf("the host agent (pid %d) has not answered for %v: %w", agent.PID, silent.Round(time.Second), err)
		}
	}
}

// status asks for a status that is newer than one that was seen.
func (f *follower) status(ctx context.Context, seen int64) (limahost.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, f.d.limits.silence)
	defer cancel()
	return f.d.client.Status(ctx, seen)
}

// answers asks the engine, which the agent has already found to answer.
func (f *follower) answers(ctx context.Context) error {
	socket, err := f.d.socket(f.engine)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, askDeadline)
	defer cancel()
	if err := f.d.ask(ctx, f.engine, "unix://"+socket); err != nil {
		return err
	}
	// Its directory is private; this is a second lock on the same door.
	return os.Chmod(socket, 0o600)
}

// tell passes a phase on, and what is wrong, once.
func (f *follower) tell(s limahost.Status) {
	text := phaseText(s)
	if s.Trouble != "" {
		text = strings.TrimPrefix(text+"; ", "; ") + s.Trouble
	}
	if text != "" && text != f.told {
		f.told = text
		f.progress(text)
	}
}

// phaseText is such as "booting the guest (image 0.1s, disk 0.2s)"; empty when
// there is nothing to wait for.
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
