package forward

import "golang.org/x/sys/unix"

// peerOf returns the pid of the process at the other end of a unix socket.
func peerOf(fd int) (int, error) {
	credentials, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(credentials.Pid), nil
}
