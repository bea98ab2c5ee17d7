package accel

import "golang.org/x/sys/unix"

// limit ends a probe whose parent was killed and which nobody ends any more: the
// kernel does so after the given seconds of processor time. That it may fail to
// set the limit hurts only then.
func limit(pid int, seconds uint64) {
	_ = unix.Prlimit(pid, unix.RLIMIT_CPU, &unix.Rlimit{Cur: seconds, Max: seconds}, nil)
}
