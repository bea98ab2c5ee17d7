package ui

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// tcpEstablished is TCP_ESTABLISHED of the kernel.
const tcpEstablished = 1

// The kernel's struct inet_diag_req_v2 and struct inet_diag_msg; see sock_diag(7).
const (
	diagRequestSize = 56
	diagMessageSize = 72
)

// diagRequest asks for one socket by its addresses.
type diagRequest [diagRequestSize]byte

// Len implements [nl.NetlinkRequestData].
func (r *diagRequest) Len() int { return len(r) }

// Serialize implements [nl.NetlinkRequestData].
func (r *diagRequest) Serialize() []byte { return r[:] }

// newDiagRequest asks for the socket with the local address from, and the remote one to.
func newDiagRequest(from, to *net.TCPAddr) *diagRequest {
	r := &diagRequest{0: unix.AF_INET, 1: unix.IPPROTO_TCP}
	binary.NativeEndian.PutUint32(r[4:], 1<<tcpEstablished)
	binary.BigEndian.PutUint16(r[8:], uint16(from.Port))
	binary.BigEndian.PutUint16(r[10:], uint16(to.Port))
	copy(r[12:], from.IP.To4())
	copy(r[28:], to.IP.To4())
	for i := 48; i < len(r); i++ { // INET_DIAG_NOCOOKIE
		r[i] = 0xff
	}
	return r
}

// socketUser returns the ID of the user who has opened the socket, of this machine, with the
// local address local and the remote one remote.
func socketUser(local, remote net.Addr) (int, error) {
	from, isTCP := local.(*net.TCPAddr)
	to, _ := remote.(*net.TCPAddr)
	if !isTCP || to == nil || from.IP.To4() == nil || to.IP.To4() == nil {
		return 0, fmt.Errorf("the connection from %s is not of IPv4", local)
	}
	request := nl.NewNetlinkRequest(nl.SOCK_DIAG_BY_FAMILY, 0)
	question := newDiagRequest(from, to)
	request.AddData(question)
	answers, err := request.Execute(unix.NETLINK_INET_DIAG, nl.SOCK_DIAG_BY_FAMILY)
	if err != nil {
		return 0, fmt.Errorf("look up the socket of %s: %w", from, err)
	}
	if len(answers) != 1 || len(answers[0]) < diagMessageSize {
		return 0, fmt.Errorf("look up the socket of %s: the kernel has sent %d answers", from, len(answers))
	}
	return userOf(answers[0], question)
}

// userOf returns the user of the socket in question. A socket that its process has
// closed belongs to no process, and has no user.
func userOf(answer []byte, question *diagRequest) (int, error) {
	state, addresses := answer[1], answer[4:44]
	inode := binary.NativeEndian.Uint32(answer[68:])
	if state != tcpEstablished || inode == 0 || string(addresses) != string(question[8:48]) {
		return 0, errors.New("the other end of the connection is closed")
	}
	return int(binary.NativeEndian.Uint32(answer[64:])), nil
}
