package forward

import "golang.org/x/sys/unix"

// peerOf returns the pid of the process at the other end of a unix socket.
func peerOf(fd int) (int, error) {
	return unix.GetsockoptInt(fd, unix.SOL_LOCAL, unix.LOCAL_PEERPID)
}
