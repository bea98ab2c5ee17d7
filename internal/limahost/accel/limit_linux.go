package accel

import "golang.org/x/sys/unix"

// limit makes the kernel end a probe after a number of seconds of processor time, because
// the parent of a probe may be killed. An error matters only then.
func limit(pid int, seconds uint64) {
	_ = unix.Prlimit(pid, unix.RLIMIT_CPU, &unix.Rlimit{Cur: seconds, Max: seconds}, nil)
}
