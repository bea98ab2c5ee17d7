// Package accel finds out which way of running a VM's processor really works on
// a machine. That /dev/kvm exists, opens and makes VMs says little: there are
// machines, clouds above all, where it does all that and the guest then crawls
// or never moves. So a tiny guest has to do a fixed amount of work in time.
package accel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// The accelerators, as QEMU names them. Auto picks one of the others.
const (
	Auto = "auto"
	KVM  = "kvm"
	HVF  = "hvf"
	TCG  = "tcg"
)

// deadline of the probe: ten times what QEMU's own emulation needs for it. What
// is slower than that is not worth having.
const deadline = 2 * time.Second

// Choose says which accelerator a VM gets on this machine, and why. A want other
// than auto is honoured if it works and is an error if not. What a probe found
// is kept in cacheFile until the machine boots again or QEMU changes; a file that
// cannot be read or written costs another probe.
func Choose(ctx context.Context, want, cacheFile string) (accel, reason string, err error) {
	native := nativeOf(runtime.GOOS)
	switch want {
	case TCG:
		return TCG, "chosen by the user: QEMU emulates the processor", nil
	case Auto, "", native:
	default:
		return "", "", fmt.Errorf("acceleration %s does not exist on %s; use 'rdd set vm.acceleration=auto'", want, runtime.GOOS)
	}
	p := prober{native: native, device: deviceOf(native), cacheFile: cacheFile, anew: want == native}
	works, how := p.probe(ctx)
	switch {
	case works:
		return native, how, nil
	case want == native:
		return "", "", fmt.Errorf("acceleration %s was asked for and does not work here: %s; use 'rdd set vm.acceleration=auto'", native, how)
	default:
		return TCG, how + "; QEMU emulates the processor, which is many times slower", nil
	}
}

func nativeOf(goos string) string {
	switch goos {
	case "linux":
		return KVM
	case "darwin":
		return HVF
	default:
		return ""
	}
}

func deviceOf(native string) string {
	if native == KVM {
		return "/dev/kvm"
	}
	return ""
}

type prober struct {
	native, device, cacheFile string
	// anew is whether what was found before does not count.
	anew bool
}

// finding is what a probe found, and when it stops to hold.
type finding struct {
	BootID, QEMU string
	QEMUModified time.Time
	At           time.Time
	Works        bool
	How          string
}

// doubtAfter is how long it holds that acceleration does not work: a machine
// that was busy for a moment should not emulate until it boots again.
const doubtAfter = 6 * time.Hour

func (p prober) probe(ctx context.Context) (works bool, how string) {
	if p.native == "" {
		return false, "this system has no acceleration that rdd knows"
	}
	if p.device != "" {
		f, err := os.OpenFile(p.device, os.O_RDWR, 0)
		if errors.Is(err, os.ErrNotExist) {
			return false, "there is no " + p.device
		}
		if err != nil {
			return false, fmt.Sprintf("%v (a member of the group that owns it may open it)", err)
		}
		f.Close()
	}
	qemu, err := exec.LookPath(Program())
	if err != nil {
		return false, err.Error()
	}
	now := finding{BootID: process.BootID(), QEMU: qemu, QEMUModified: modified(qemu), At: time.Now()}
	if cached, ok := p.cached(now); ok && !p.anew {
		return cached.Works, cached.How
	}
	now.Works, now.How, err = try(ctx, qemu, p.native)
	if err != nil {
		return false, fmt.Sprintf("%s could not be probed: %v", p.native, err)
	}
	if ctx.Err() == nil {
		p.keep(now)
	}
	return now.Works, now.How
}

func (p prober) cached(now finding) (finding, bool) {
	var was finding
	data, err := os.ReadFile(p.cacheFile)
	if err != nil || now.BootID == "" || json.Unmarshal(data, &was) != nil {
		return finding{}, false
	}
	same := was.BootID == now.BootID && was.QEMU == now.QEMU && was.QEMUModified.Equal(now.QEMUModified)
	age := now.At.Sub(was.At)
	return was, same && (was.Works || age >= 0 && age < doubtAfter)
}

// keep is a service to later starts; that it fails hurts nobody.
func (p prober) keep(f finding) {
	data, err := json.Marshal(f)
	if err != nil || p.cacheFile == "" {
		return
	}
	_ = os.WriteFile(p.cacheFile, data, 0o600)
}

// try runs the work under an accelerator. An error says that it could not be tried.
func try(ctx context.Context, qemu, accelerator string) (works bool, how string, err error) {
	rom, err := os.CreateTemp("", "rdd-probe-*")
	if err != nil {
		return false, "", err
	}
	defer func() { _ = os.Remove(rom.Name()) }()
	_, err = rom.Write(firmware())
	if err = errors.Join(err, rom.Close()); err != nil {
		return false, "", err
	}
	bounded, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	start := time.Now()
	err = run(bounded, qemu, arguments(accelerator, rom.Name()))
	took := time.Since(start).Round(time.Millisecond)
	switch {
	case bounded.Err() != nil:
		return false, fmt.Sprintf("%s did not do in %v what emulation does in a tenth of that", accelerator, deadline), nil
	case err != nil:
		return false, fmt.Sprintf("a test guest failed with %s: %v", accelerator, err), nil
	default:
		return true, fmt.Sprintf("a test guest did its work with %s in %v", accelerator, took), nil
	}
}

// run returns when QEMU has done the work, or when ctx ends, even if the kernel
// does not let go of the process.
func run(ctx context.Context, qemu string, args []string) error {
	var said strings.Builder
	cmd := exec.Command(qemu, args...) //nolint:noctx // Ended below: a context would wait for a process that cannot be killed.
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		return err
	}
	limit(cmd.Process.Pid, 2*uint64(deadline/time.Second))
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-ctx.Done():
		return errors.Join(ctx.Err(), cmd.Process.Kill())
	case err := <-ended:
		if done(cmd.ProcessState) {
			return nil
		}
		return errors.Join(fmt.Errorf("it did not finish: %v", cmd.ProcessState), err, errors.New(strings.TrimSpace(said.String())))
	}
}

func modified(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
