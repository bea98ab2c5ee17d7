package hubtest

import "syscall"

// childAttributes makes the kernel kill a child when this process ends, also by SIGKILL.
// The child has its own process group, so that an interrupt reaches this process first.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
