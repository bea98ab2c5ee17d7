package accel

import (
	"encoding/binary"
	"os"
)

// Program returns QEMU's program for this machine's architecture.
func Program() string { return "qemu-system-aarch64" }

func arguments(accelerator, rom string) []string {
	cpu := "host"
	if accelerator == TCG {
		cpu = "max"
	}
	return []string{
		"-accel", accelerator, "-machine", "virt", "-cpu", cpu, "-nodefaults", "-no-user-config",
		"-display", "none", "-m", "16", "-bios", rom,
	}
}

func done(state *os.ProcessState) bool { return state.Success() }

// firmware counts to fifty million, and then powers the machine off through the
// Power State Coordination Interface (Arm DEN0022, SYSTEM_OFF).
func firmware() []byte {
	var rom []byte
	for _, instruction := range []uint32{
		0xd29e1001, // movz x1, #0xf080
		0xf2a05f41, // movk x1, #0x02fa, lsl #16
		0xf1000421, // subs x1, x1, #1
		0x54ffffe1, // b.ne to the subs
		0x52800100, // movz w0, #0x0008
		0x72b08000, // movk w0, #0x8400, lsl #16
		0xd4000002, // hvc #0
		0x14000000, // b to itself
	} {
		rom = binary.LittleEndian.AppendUint32(rom, instruction)
	}
	return rom
}
