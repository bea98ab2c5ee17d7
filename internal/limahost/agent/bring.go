package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"runtime"
	"strconv"

	"github.com/lima-vm/lima/pkg/limayaml"
	"github.com/lima-vm/lima/pkg/store"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/accel"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/qemu"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// guestOf is how a machine's guest is reached.
type guestOf struct {
	port   int
	user   string
	engine string
	// config of the VM; nil when an adopted one's cannot be read.
	config *limayaml.LimaYAML
	// up is whether this machine was ready once already.
	up bool
}

func (g guestOf) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(g.port)) }

// bring takes over the machine that runs, or starts one.
func (a *agent) bring(ctx context.Context) (machine, guestOf, error) {
	if p, ok := qemu.Find(a.paths); ok {
		return a.adopt(p)
	}
	// Lima believes any process that the file names, with a recycled pid too.
	if err := os.Remove(a.paths.MachinePidFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, guestOf{}, fmt.Errorf("remove the pid file of a QEMU that is gone: %w", err)
	}
	return a.start(ctx)
}

// adopt takes over a QEMU as it is.
func (a *agent) adopt(p process.Process) (machine, guestOf, error) {
	port := qemu.SSHPort(p.Args())
	if port == 0 {
		return nil, guestOf{}, fmt.Errorf("take over QEMU, pid %d: it forwards no port to the guest's SSH server", p.PID)
	}
	spec := a.cfg.Spec
	if _, err := limahost.Load(a.paths.Current(), &spec); err != nil {
		a.log.Warn("it is not known what the machine was started from", "error", err)
	}
	rec, found, err := loadRecord(a.paths)
	if err != nil || !found {
		a.log.Warn("it is not known how far the machine came; it counts as one that was up", "error", err)
		rec.Up = true
	}
	g := guestOf{port: port, user: rec.User, engine: spec.Engine, up: rec.Up}
	if err := a.lima.call(func() error {
		inst, err := store.Inspect(limahost.Instance)
		if err == nil {
			g.config = inst.Config
		}
		return err
	}); err != nil || g.config == nil {
		a.log.Warn("the machine's lima.yaml cannot be read; published ports get the default rules", "error", err)
	} else {
		g.user = *g.config.User.Name
	}
	a.log.Info("taking over a machine that runs", "pid", p.PID, "sshPort", port)
	a.board.update(func(s *limahost.Status) {
		rec.show(s)
		s.Spec, s.Adopted, s.MachinePID, s.SSHPort = spec, true, p.PID, port
	})
	a.board.enter(limahost.PhaseSSH)
	return watchQEMU(p, nil, a.paths, a.log), g, nil
}

// choice is an acceleration.
type choice struct {
	name, reason string
	err          error
}

// start makes what is needed and starts a machine.
func (a *agent) start(ctx context.Context) (machine, guestOf, error) {
	a.board.enter(limahost.PhaseImage)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	probed := make(chan choice, 1)
	go func() {
		var c choice
		c.name, c.reason, c.err = accel.Choose(ctx, probeFor(a.cfg.Spec.Acceleration), a.paths.LimaHome+"/accel.json")
		probed <- c
	}()
	var (
		pl   plan
		base int64
	)
	err := a.lima.call(func() (err error) {
		if pl, err = a.makePlan(); err != nil {
			return err
		}
		base, err = a.fetch(ctx, pl)
		return err
	})
	if err != nil {
		return nil, guestOf{}, err
	}
	rec := record{Image: pl.image, Note: pl.note, Booted: pl.booted, User: *pl.recipe.Config.User.Name}
	a.board.update(rec.show)
	a.board.enter(limahost.PhaseDisk)
	inst, seed, err := a.makeDisk(ctx, pl, base)
	if err != nil {
		return nil, guestOf{}, err
	}
	chosen := a.accelerate(inst.Config, probed)
	if chosen.err != nil {
		return nil, guestOf{}, errors.Join(chosen.err, seed())
	}
	rec.Acceleration, rec.AccelerationReason = chosen.name, chosen.reason
	g := guestOf{user: rec.User, engine: a.cfg.Spec.Engine, config: inst.Config}
	m, port, err := a.launch(ctx, inst, rec, seed)
	g.port = port
	return m, g, err
}

// probeFor is what the probe is asked for: it knows nothing of Apple's framework.
func probeFor(want string) string {
	if want == limayaml.VZ {
		return accel.TCG
	}
	return want
}

// accelerate says how the VM's processor is run.
func (a *agent) accelerate(y *limayaml.LimaYAML, probed <-chan choice) choice {
	switch {
	case *y.VMType == limayaml.VZ:
		reason := "Apple's Virtualization framework is the fastest there is"
		if a.cfg.Spec.Acceleration == limayaml.VZ {
			reason = "chosen by the user"
		}
		return choice{name: limayaml.VZ, reason: reason}
	case !limayaml.IsNativeArch(*y.Arch):
		return choice{name: accel.TCG, reason: fmt.Sprintf("the guest is of the architecture %s, this machine is not", *y.Arch)}
	default:
		return <-probed
	}
}

// program is the environment variable in which Lima looks for a QEMU and its
// first arguments, and what is put there. A guest that reboots, which one that
// panicked does, ends QEMU instead: what happened is then known for sure. QEMU's
// own rule for a full disk of the host, werror=enospc, is the right one: the
// machine is paused and the guest sees no error.
func program(arch limayaml.Arch, acceleration string) (variable, value string) {
	name := map[limayaml.Arch]string{
		limayaml.X8664: "x86_64", limayaml.AARCH64: "aarch64", limayaml.ARMV7L: "arm",
		limayaml.PPC64LE: "ppc64", limayaml.RISCV64: "riscv64", limayaml.S390X: "s390x",
	}[arch]
	variable = "QEMU_SYSTEM_" + map[string]string{
		"x86_64": "X86_64", "aarch64": "AARCH64", "arm": "ARM", "ppc64": "PPC64", "riscv64": "RISCV64", "s390x": "S390X",
	}[name]
	value = "qemu-system-" + name + " -no-reboot"
	if own := os.Getenv(variable); own != "" {
		return variable, own + " -no-reboot"
	}
	// Lima takes the acceleration that a system should have for granted.
	if acceleration == accel.TCG && arch == limayaml.NewArch(runtime.GOARCH) {
		emulated := " -accel tcg,thread=multi,tb-size=512 -cpu max"
		switch arch {
		case limayaml.X8664:
			value += " -machine q35,vmport=off" + emulated + " -global ICH9-LPC.disable_s3=1 -global ICH9-LPC.disable_s4=1"
		case limayaml.AARCH64:
			value += " -machine virt" + emulated
		}
	}
	return variable, value
}
