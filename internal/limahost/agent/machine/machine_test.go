package machine

import (
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/lima-vm/lima/pkg/limayaml"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
)

func TestCommandHasQEMUProgram(t *testing.T) {
	t.Setenv("QEMU_SYSTEM_AARCH64", "/opt/qemu/qemu-system-aarch64")
	t.Setenv("QEMU_SYSTEM_X86_64", "")
	for _, c := range []struct{ arch, acceleration, variable, value string }{
		{limayaml.X8664, "kvm", "QEMU_SYSTEM_X86_64", "qemu-system-x86_64 -no-reboot"},
		{limayaml.AARCH64, "hvf", "QEMU_SYSTEM_AARCH64", "/opt/qemu/qemu-system-aarch64 -no-reboot"},
		{limayaml.RISCV64, "tcg", "QEMU_SYSTEM_RISCV64", "qemu-system-riscv64 -no-reboot"},
	} {
		if variable, value := command(c.arch, c.acceleration); variable != c.variable || value != c.value {
			t.Errorf("%s with %s: %s=%q", c.arch, c.acceleration, variable, value)
		}
	}
	if runtime.GOARCH == "amd64" {
		if _, value := command(limayaml.X8664, "tcg"); !strings.Contains(value, "-no-reboot -machine q35,vmport=off -accel tcg") {
			t.Errorf("emulated: %q", value)
		}
	}
}

// vmDir makes a VM's directory with the logs of the console and of QEMU.
func vmDir(t *testing.T, console, printed string) limahost.Paths {
	t.Helper()
	p := limahost.Paths{LimaHome: t.TempDir()}
	if err := os.MkdirAll(p.Dir(), 0o700); err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{p.Console(): console, p.QEMULog(): printed} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func TestExitCauseNamesReason(t *testing.T) {
	const panicked = "[ 9.1] Kernel panic - not syncing: Fatal exception\n[ 9.2] Rebooting in 1 seconds..\n"
	for name, c := range map[string]struct {
		shutdown, status, console, printed string
		want, not                          string
	}{
		"panic":       {shutdown: "guest-reset", console: panicked, want: "kernel panicked: Kernel panic - not syncing: Fatal exception", not: "rebooted"},
		"reboot":      {shutdown: "guest-reset", console: "bye\n", want: "the guest rebooted"},
		"power off":   {shutdown: "guest-shutdown", printed: "noise\n", want: "powered itself off", not: "noise"},
		"killed":      {status: "signal: killed", want: "pid 7, was killed or crashed (signal: killed)"},
		"adopted":     {want: "pid 7, was killed or crashed\n"},
		"signal":      {shutdown: "host-signal", printed: "qemu: terminating on signal 15 from pid 1 (init)\n", want: "signal 15 from pid 1"},
		"quit":        {shutdown: "host-qmp-quit", want: "command on its monitor"},
		"last lines":  {console: "one\n\x1b[31mtwo\x1b[0m\n", want: "  one\n  two"},
		"no last one": {want: "is empty"},
	} {
		got := exitCause(c.shutdown, c.status, 7, vmDir(t, c.console, c.printed))
		if !strings.Contains(got, c.want) || (c.not != "" && strings.Contains(got, c.not)) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestReclaimExtendsQEMUArguments(t *testing.T) {
	device := " -device virtio-balloon-pci,free-page-reporting=on"
	if runtime.GOOS != "linux" {
		device = ""
	}
	for name, c := range map[string]struct{ args, want string }{
		"Lima's disk": {
			"-drive file=/vm/diffdisk,if=virtio,discard=on -drive file=/vm/data,if=virtio,discard=on",
			"-drive file=/vm/diffdisk,if=virtio,discard=on,detect-zeroes=unmap -drive file=/vm/data,if=virtio,discard=on" + device,
		},
		"a disk without discard": {"-drive file=/vm/diffdisk,if=virtio", "-drive file=/vm/diffdisk,if=virtio" + device},
		"a user's own balloon":   {"-device virtio-balloon-pci,id=own", "-device virtio-balloon-pci,id=own"},
	} {
		args := strings.Fields(c.args)
		if got := strings.Join(withReclaim(args), " "); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if strings.Join(args, " ") != c.args {
			t.Errorf("%s: the argument was modified: %q", name, args)
		}
	}
}
