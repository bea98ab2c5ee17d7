package qemu

import (
	"golang.org/x/sys/unix"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// stoppedState is SSTOP of sys/proc.h.
const stoppedState = 4

// Stopped reports whether a process was stopped with SIGSTOP, or by a debugger.
func Stopped(p process.Process) bool {
	info, err := unix.SysctlKinfoProc("kern.proc.pid", p.PID)
	return err == nil && info.Proc.P_stat == stoppedState
}

// executable returns the name of the file that a process runs, of which the kernel
// keeps the first 16 characters.
func executable(p process.Process) string {
	info, err := unix.SysctlKinfoProc("kern.proc.pid", p.PID)
	if err != nil {
		return ""
	}
	return unix.ByteSliceToString(info.Proc.P_comm[:])
}
