//go:build !linux

package hubtest

import "syscall"

// childAttributes leaves a child in the process group of this process, so that it gets
// the same interrupts. No other system than Linux ends it after a SIGKILL of this process.
func childAttributes() *syscall.SysProcAttr { return nil }
