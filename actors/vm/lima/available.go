package lima

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// versionTimeout limits the query for a program's version, which takes some
// milliseconds.
const versionTimeout = 5 * time.Second

// tool is a program that a VM needs.
type tool struct {
	name string
	// debian and brew are the packages with the program.
	debian, brew string
}

// qemuTool returns QEMU's program for this machine's architecture.
func qemuTool() tool {
	name, pkg := "qemu-system-x86_64", "qemu-system-x86"
	if runtime.GOARCH == "arm64" {
		name, pkg = "qemu-system-aarch64", "qemu-system-arm"
	}
	return tool{name, pkg, "qemu"}
}

// checkAcceleration refuses an acceleration that this system or this program does not
// have. The agent probes whether this machine has it.
func checkAcceleration(spec messages.VMSpec) error {
	const next = "choose another one with 'rdd set vm.acceleration=auto'"
	switch a := spec.VM.Acceleration; {
	case a == appv1.AccelerationKVM && runtime.GOOS != "linux":
		return errors.New("vm.acceleration=kvm needs Linux: " + next)
	case a == appv1.AccelerationHVF && runtime.GOOS != "darwin", a == appv1.AccelerationVZ && runtime.GOOS != "darwin":
		return fmt.Errorf("vm.acceleration=%s needs macOS: %s", a, next)
	case a == appv1.AccelerationVZ && !hasVZ:
		return errors.New("vm.acceleration=vz needs an rdd that was built with cgo: " + next)
	default:
		return nil
	}
}

// needsQEMU reports whether a VM of spec runs in QEMU.
func needsQEMU(spec messages.VMSpec) bool {
	switch spec.VM.Acceleration {
	case appv1.AccelerationVZ:
		return false
	case "", appv1.AccelerationAuto:
		return !hasVZ
	default:
		return true
	}
}

// tools returns the programs that a VM needs.
func (d *Driver) tools(spec messages.VMSpec) []tool {
	needed := []tool{{"ssh", "openssh-client", "openssh"}, {"ssh-keygen", "openssh-client", "openssh"}}
	if needsQEMU(spec) {
		needed = append(needed, qemuTool(), tool{"qemu-img", "qemu-utils", "qemu"})
	}
	return needed
}

// Available implements vm.Driver.
func (d *Driver) Available(ctx context.Context, spec messages.VMSpec) (string, error) {
	if err := d.checkSockets(spec.Engine); err != nil {
		return "", err
	}
	if err := errors.Join(checkAcceleration(spec), thisHost().check(spec.VM), d.checkTools(spec)); err != nil {
		return "", err
	}
	how := "Apple's Virtualization framework"
	if needsQEMU(spec) {
		var err error
		if how, err = d.qemuVersion(ctx); err != nil {
			return "", err
		}
	}
	if err := d.check(ctx, hostSpec(spec)); err != nil {
		return "", err
	}
	image, err := d.imageReason(spec)
	if err != nil {
		// The check has succeeded, so that the VM has a disk and needs no image.
		image = "the VM's own disk (" + err.Error() + ")"
	}
	return how + ", " + image, nil
}

// checkTools fails when programs are missing, and names their packages.
func (d *Driver) checkTools(spec messages.VMSpec) error {
	var missing, debian, brew []string
	for _, t := range d.tools(spec) {
		if d.find(t.name) != "" {
			continue
		}
		missing = append(missing, t.name)
		debian, brew = appendNew(debian, t.debian), appendNew(brew, t.brew)
	}
	if len(missing) == 0 {
		return nil
	}
	install := "'sudo apt-get install " + strings.Join(debian, " ") + "' (Debian, Ubuntu), or similar"
	if runtime.GOOS == "darwin" {
		install = "'brew install " + strings.Join(brew, " ") + "'"
	}
	return fmt.Errorf("a VM needs programs that are not installed: %s: run %s", strings.Join(missing, ", "), install)
}

func appendNew(list []string, item string) []string {
	if slices.Contains(list, item) {
		return list
	}
	return append(list, item)
}

// find returns the path of a program in PATH, or "".
func (d *Driver) find(program string) string {
	for _, dir := range filepath.SplitList(d.cfg.Getenv("PATH")) {
		full := filepath.Join(dir, program)
		if info, err := os.Stat(full); err == nil && filepath.IsAbs(full) && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return full
		}
	}
	return ""
}

// qemuVersion returns a text such as "QEMU 7.2.22 at /usr/bin/qemu-system-x86_64".
func (d *Driver) qemuVersion(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	program := d.find(qemuTool().name)
	out, err := exec.CommandContext(ctx, program, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%s --version: %w", program, errors.Join(err, ctx.Err()))
	}
	const before = "version "
	_, rest, found := strings.Cut(string(out), before)
	if !found {
		return "QEMU at " + program, nil
	}
	return fmt.Sprintf("QEMU %s at %s", strings.Fields(rest + " ?")[0], program), nil
}
