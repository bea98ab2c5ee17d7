package machine

import (
	"fmt"
	"os"
	"runtime"

	"github.com/lima-vm/lima/pkg/limayaml"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/accel"
)

// command returns the environment variable from which Lima takes QEMU's program and
// first arguments, and its value.
//
// A guest that reboots, as after a panic, ends QEMU, which makes the cause of the
// end certain. QEMU's default for a full disk of the host, werror=enospc, stays:
// it pauses the machine, and the guest sees no error.
func command(arch limayaml.Arch, acceleration string) (variable, value string) {
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
	// Lima assumes that the system's acceleration works.
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

// withCommand calls function while Lima's environment variable has QEMU's program.
func withCommand(arch limayaml.Arch, acceleration string, function func() error) error {
	variable, value := command(arch, acceleration)
	before, isSet := os.LookupEnv(variable)
	if err := os.Setenv(variable, value); err != nil {
		return fmt.Errorf("set %s to QEMU's program: %w", variable, err)
	}
	defer func() {
		if isSet {
			_ = os.Setenv(variable, before)
		} else {
			_ = os.Unsetenv(variable)
		}
	}()
	return function()
}
