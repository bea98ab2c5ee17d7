//go:build linux

package virtiofs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
)

// Requests of QEMU; see docs/interop/vhost-user.rst of QEMU.
const (
	getFeatures         = 1
	setFeatures         = 2
	setOwner            = 3
	resetOwner          = 4
	setMemTable         = 5
	setVringNum         = 8
	setVringAddr        = 9
	setVringBase        = 10
	getVringBase        = 11
	setVringKick        = 12
	setVringCall        = 13
	setVringErr         = 14
	getProtocolFeatures = 15
	setProtocolFeatures = 16
	getQueueNum         = 17
	setVringEnable      = 18
)

// Flags of a message.
const (
	protocolVersion = 1
	isReply         = 4
	needsReply      = 8
)

const (
	headerSize  = 12
	maxPayload  = 8 + maxRegions*32
	maxMessages = 4096 // bytes of control messages
)

// message is a request of QEMU.
type message struct {
	request, flags uint32
	payload        []byte
	files          []int
}

func (m message) u32(at int) uint32 { return binary.LittleEndian.Uint32(m.payload[at:]) }
func (m message) u64(at int) uint64 { return binary.LittleEndian.Uint64(m.payload[at:]) }

// file returns the only file of a message; nil without one.
func (m message) file() (*os.File, error) {
	switch len(m.files) {
	case 0:
		return nil, nil
	case 1:
		// A file that does not block has deadlines.
		if err := syscall.SetNonblock(m.files[0], true); err != nil {
			return nil, err
		}
		return os.NewFile(uintptr(m.files[0]), "eventfd"), nil
	default:
		return nil, fmt.Errorf("request %d has %d files", m.request, len(m.files))
	}
}

// close closes the files of a message.
func (m message) close() {
	for _, file := range m.files {
		_ = syscall.Close(file)
	}
}

// receive reads a request. It returns io.EOF when QEMU has closed the connection.
func receive(conn *net.UnixConn) (message, error) {
	header, control := make([]byte, headerSize), make([]byte, maxMessages)
	n, controlSize, _, _, err := conn.ReadMsgUnix(header, control)
	if err != nil {
		return message{}, err
	}
	if n == 0 {
		return message{}, io.EOF
	}
	files, err := parseFiles(control[:controlSize])
	m := message{files: files}
	if err == nil {
		_, err = io.ReadFull(conn, header[n:])
	}
	if err == nil {
		m.request, m.flags = binary.LittleEndian.Uint32(header), binary.LittleEndian.Uint32(header[4:])
		m.payload, err = receivePayload(conn, binary.LittleEndian.Uint32(header[8:]))
	}
	if err != nil {
		m.close()
		return message{}, err
	}
	return m, nil
}

func receivePayload(conn *net.UnixConn, size uint32) ([]byte, error) {
	if size > maxPayload {
		return nil, fmt.Errorf("a message has %d bytes", size)
	}
	payload := make([]byte, maxPayload) // so that each field can be read
	_, err := io.ReadFull(conn, payload[:size])
	return payload, err
}

// parseFiles returns the files of a control message.
func parseFiles(control []byte) ([]int, error) {
	parts, err := syscall.ParseSocketControlMessage(control)
	var files []int
	for _, part := range parts {
		some, e := syscall.ParseUnixRights(&part)
		err = errors.Join(err, e)
		files = append(files, some...)
	}
	for _, file := range files {
		syscall.CloseOnExec(file)
	}
	return files, err
}

// reply replies to a request.
func reply(conn *net.UnixConn, request uint32, payload []byte) error {
	out := binary.LittleEndian.AppendUint32(nil, request)
	out = binary.LittleEndian.AppendUint32(out, protocolVersion|isReply)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(payload)))
	_, err := conn.Write(append(out, payload...))
	return err
}
