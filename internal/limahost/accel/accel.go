// Package accel probes which acceleration of a VM's processor works on a machine.
//
// A /dev/kvm that exists, opens and creates VMs proves little. On some machines, mostly
// in clouds, its guests are very slow or stand still. So a tiny guest must complete a
// fixed amount of work in time.
//
// Reading map:
//
//	accel.go                       choose an acceleration, and probe it
//	work_amd64.go, work_arm64.go   the guest's work
//	limit_linux.go, limit_other.go limit a probe's processor time
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

// The accelerations, by QEMU's names. Auto chooses one of the others.
const (
	Auto = "auto"
	KVM  = "kvm"
	HVF  = "hvf"
	TCG  = "tcg"
)

// deadline limits a probe. QEMU's emulation needs a tenth of it, so that a slower
// acceleration is useless.
const deadline = 2 * time.Second

// Choose returns the acceleration of a VM on this machine, and the reason. If want is
// not auto, the requested acceleration must work. The result of a probe is cached in
// cacheFile until the machine boots or QEMU changes. Without a readable cache the probe
// is repeated.
func Choose(ctx context.Context, want, cacheFile string) (accel, reason string, err error) {
	native := nativeOf(runtime.GOOS)
	switch want {
	case TCG:
		return TCG, "chosen by the user: QEMU emulates the processor", nil
	case Auto, "", native:
	default:
		return "", "", fmt.Errorf("acceleration %s does not exist on %s: use 'rdd set vm.acceleration=auto'", want, runtime.GOOS)
	}
	p := prober{native: native, device: deviceOf(native), cacheFile: cacheFile, uncached: want == native}
	works, how := p.probe(ctx)
	switch {
	case works:
		return native, how, nil
	case want == native:
		return "", "", fmt.Errorf("acceleration %s does not work on this machine: %s: use 'rdd set vm.acceleration=auto'", native, how)
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
	// uncached reports whether the cache is ignored.
	uncached bool
}

// result is the result of a probe, with the conditions under which it is valid.
type result struct {
	BootID, QEMU string
	QEMUModified time.Time
	At           time.Time
	Works        bool
	How          string
}

// negativeTTL is how long a failed probe is cached. A machine that was busy during the
// probe should not use emulation until its next boot.
const negativeTTL = 6 * time.Hour

func (p prober) probe(ctx context.Context) (works bool, how string) {
	if p.native == "" {
		return false, "rdd knows no acceleration on this system"
	}
	if p.device != "" {
		f, err := os.OpenFile(p.device, os.O_RDWR, 0)
		if errors.Is(err, os.ErrNotExist) {
			return false, "there is no " + p.device
		}
		if err != nil {
			return false, fmt.Sprintf("%v (add your user to the group of the file)", err)
		}
		f.Close()
	}
	qemu, err := exec.LookPath(Program())
	if err != nil {
		return false, err.Error()
	}
	now := result{BootID: process.BootID(), QEMU: qemu, QEMUModified: modified(qemu), At: time.Now()}
	if cached, ok := p.cached(now); ok && !p.uncached {
		return cached.Works, cached.How
	}
	now.Works, now.How, err = run(ctx, qemu, p.native)
	if err != nil {
		return false, fmt.Sprintf("%s could not be probed: %v", p.native, err)
	}
	if ctx.Err() == nil {
		p.save(now)
	}
	return now.Works, now.How
}

func (p prober) cached(now result) (result, bool) {
	var was result
	data, err := os.ReadFile(p.cacheFile)
	if err != nil || now.BootID == "" || json.Unmarshal(data, &was) != nil {
		return result{}, false
	}
	same := was.BootID == now.BootID && was.QEMU == now.QEMU && was.QEMUModified.Equal(now.QEMUModified)
	age := now.At.Sub(was.At)
	return was, same && (was.Works || age >= 0 && age < negativeTTL)
}

// save caches a result. Without the cache the probe is repeated.
func (p prober) save(r result) {
	data, err := json.Marshal(r)
	if err != nil || p.cacheFile == "" {
		return
	}
	_ = os.WriteFile(p.cacheFile, data, 0o600)
}

// run runs the work with an acceleration. An error means that the probe failed, and not
// that the acceleration does not work.
func run(ctx context.Context, qemu, accelerator string) (works bool, how string, err error) {
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
	err = runQEMU(bounded, qemu, arguments(accelerator, rom.Name()))
	took := time.Since(start).Round(time.Millisecond)
	switch {
	case bounded.Err() != nil:
		return false, fmt.Sprintf("%s is more than ten times slower than emulation (a test guest did not complete within %v)", accelerator, deadline), nil
	case err != nil:
		return false, fmt.Sprintf("a test guest failed with %s: %v", accelerator, err), nil
	default:
		return true, fmt.Sprintf("a test guest completed with %s in %v", accelerator, took), nil
	}
}

// runQEMU returns when QEMU has done the work, or when ctx ends, even if the process hangs
// in the kernel.
func runQEMU(ctx context.Context, qemu string, args []string) error {
	var stderr strings.Builder
	cmd := exec.Command(qemu, args...) //nolint:noctx // Killed below: a context would wait for a process that hangs in the kernel.
	cmd.Stderr = &stderr
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
		return errors.Join(fmt.Errorf("QEMU did not complete the work: %v", cmd.ProcessState), err, errors.New(strings.TrimSpace(stderr.String())))
	}
}

func modified(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
