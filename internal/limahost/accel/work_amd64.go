package accel

import "os"

// Program returns QEMU's program for this machine's architecture.
func Program() string { return "qemu-system-x86_64" }

// exitCode is QEMU's exit code after the guest's work: a byte n that is written to
// isa-debug-exit ends QEMU with 2n+1.
const exitCode = 0x10<<1 | 1

func arguments(accelerator, rom string) []string {
	return []string{
		"-accel", accelerator, "-machine", "pc", "-nodefaults", "-no-user-config", "-display", "none",
		"-m", "16", "-bios", rom, "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04",
	}
}

func done(state *os.ProcessState) bool { return state.ExitCode() == exitCode }

// firmware returns a program that counts to fifty million in the processor's initial mode,
// and then ends QEMU.
func firmware() []byte {
	rom := make([]byte, 64<<10)
	copy(rom, []byte{
		0x66, 0xb9, 0x80, 0xf0, 0xfa, 0x02, // mov ecx, 50000000
		0x66, 0x49, // dec ecx
		0x75, 0xfc, // jnz to the dec
		0xb0, 0x10, // mov al, 0x10
		0xe6, 0xf4, // out 0xf4, al
		0xf4, // hlt
	})
	// The processor's first instruction is 16 bytes below the end.
	copy(rom[len(rom)-16:], []byte{0xe9, 0x0d, 0x00}) // jmp to the first byte
	return rom
}
