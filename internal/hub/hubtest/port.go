package hubtest

import (
	"fmt"
	"net"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// loopback is where everything listens.
const loopback = "127.0.0.1"

// port is a TCP port of loopback that no other program gets while a program of the hub
// does not run. This process binds the port without listening, so connections are
// refused. A program of the same user that sets SO_REUSEPORT can listen.
type port struct {
	number, socket int
}

func reservePort() (*port, error) {
	// No child inherits the socket.
	syscall.ForkLock.RLock()
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(socket)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, fmt.Errorf("reserve a port: %w", err)
	}
	p := &port{socket: socket}
	if p.number, err = bind(socket); err != nil {
		p.release()
		return nil, fmt.Errorf("reserve a port: %w", err)
	}
	return p, nil
}

// bind binds a socket to a free port of loopback, and returns the port.
func bind(socket int) (int, error) {
	// Not SO_REUSEADDR, with which any program could listen.
	if err := unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		return 0, err
	}
	if err := unix.Bind(socket, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, err
	}
	address, err := unix.Getsockname(socket)
	if err != nil {
		return 0, err
	}
	bound, ok := address.(*unix.SockaddrInet4)
	if !ok {
		return 0, fmt.Errorf("the address of the socket is %T", address)
	}
	return bound.Port, nil
}

// String returns the number.
func (p *port) String() string { return strconv.Itoa(p.number) }

// address returns host and port.
func (p *port) address() string { return net.JoinHostPort(loopback, p.String()) }

// release accepts a port that was not reserved.
func (p *port) release() {
	if p != nil {
		_ = unix.Close(p.socket)
	}
}
