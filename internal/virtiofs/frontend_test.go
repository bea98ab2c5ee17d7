//go:build linux

package virtiofs

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

const (
	guestBase  = 0x100000
	userBase   = 0x7f0000000000
	memorySize = 4 << 20
	ringSize   = 8

	// Offsets in the guest's memory.
	descAt, availAt, usedAt = 0x0, 0x1000, 0x2000
	requestAt, replyAt      = 0x10000, 0x20000
	replySize               = 1<<20 + 4096
)

// frontend is a QEMU with a guest that sends one request at a time.
type frontend struct {
	t          *testing.T
	conn       *net.UnixConn
	memory     []byte
	file       int
	kick, call *os.File
	sent       uint16
	unique     uint64
	ended      chan error
}

// serve serves a directory, and connects to it like QEMU.
func serve(t *testing.T, dir string, writable bool) *frontend {
	t.Helper()
	return serveWithout(t, dir, writable, Private{})
}

// serveWithout is serve with directories that are hidden.
func serveWithout(t *testing.T, dir string, writable bool, private Private) *frontend {
	t.Helper()
	f := start(t, dir, writable, private)
	f.send(setOwner, nil)
	f.setMemory()
	f.startQueue(0)
	f.init()
	return f
}

// start serves a directory, and connects to its socket.
func start(t *testing.T, dir string, writable bool, private Private) *frontend {
	t.Helper()
	home, err := os.MkdirTemp("/tmp", "rdd-virtiofs.")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	f := &frontend{t: t, ended: make(chan error, 1)}
	share := Share{Dir: dir, Socket: filepath.Join(home, "0.sock"), Writable: writable}
	starter, stop := io.Pipe()
	go func() { f.ended <- Serve([]Share{share}, private, starter) }()
	testkit.Eventually(t, time.Minute, "the socket", func() error {
		_, err := os.Stat(share.Socket)
		return err
	})
	if f.conn, err = net.DialUnix("unix", nil, &net.UnixAddr{Name: share.Socket, Net: "unix"}); err != nil {
		t.Fatal(err)
	}
	stop.Close() // as the host agent does
	t.Cleanup(func() { f.conn.Close() })
	if f.file, err = unix.MemfdCreate("guest", unix.MFD_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	if err = unix.Ftruncate(f.file, memorySize); err == nil {
		f.memory, err = unix.Mmap(f.file, 0, memorySize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = unix.Munmap(f.memory)
		_ = unix.Close(f.file)
	})
	return f
}

func u32(values ...uint32) (out []byte) {
	for _, v := range values {
		out = binary.LittleEndian.AppendUint32(out, v)
	}
	return out
}

func u64(values ...uint64) (out []byte) {
	for _, v := range values {
		out = binary.LittleEndian.AppendUint64(out, v)
	}
	return out
}

// send sends a request with files, and returns the payload of the reply.
func (f *frontend) send(request uint32, payload []byte, files ...int) []byte {
	f.t.Helper()
	var control []byte
	if len(files) > 0 {
		control = unix.UnixRights(files...)
	}
	out := append(u32(request, protocolVersion|needsReply, uint32(len(payload))), payload...)
	if _, _, err := f.conn.WriteMsgUnix(out, control, nil); err != nil {
		f.t.Fatal(err)
	}
	header := make([]byte, headerSize)
	_ = f.conn.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := io.ReadFull(f.conn, header); err != nil {
		f.t.Fatalf("request %d: %v", request, err)
	}
	answer := make([]byte, binary.LittleEndian.Uint32(header[8:]))
	if _, err := io.ReadFull(f.conn, answer); err != nil {
		f.t.Fatal(err)
	}
	return answer
}

func (f *frontend) setMemory() {
	f.t.Helper()
	f.send(setMemTable, append(u32(1, 0), u64(guestBase, memorySize, userBase, 0)...), f.file)
}

// startQueue starts the second queue at an index.
func (f *frontend) startQueue(base uint16) {
	f.t.Helper()
	for _, file := range []**os.File{&f.kick, &f.call} {
		fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
		if err != nil {
			f.t.Fatal(err)
		}
		opened := os.NewFile(uintptr(fd), "eventfd")
		f.t.Cleanup(func() { opened.Close() })
		*file = opened
	}
	const queue = 1
	f.send(setVringNum, u32(queue, ringSize))
	f.send(setVringBase, u32(queue, uint32(base)))
	f.send(setVringAddr, append(u32(queue, 0), u64(userBase+descAt, userBase+usedAt, userBase+availAt, 0)...))
	f.send(setVringKick, u64(queue), fd(f.t, f.kick))
	f.send(setVringCall, u64(queue), fd(f.t, f.call))
	f.send(setVringEnable, u32(queue, 1))
}

// fd returns the descriptor of a file, which stays one that does not block.
func fd(t *testing.T, file *os.File) (fd int) {
	t.Helper()
	conn, err := file.SyscallConn()
	if err == nil {
		err = conn.Control(func(n uintptr) { fd = int(n) })
	}
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

// offer makes a request available at two descriptors.
func (f *frontend) offer(address uint64, request []byte) {
	copy(f.memory[requestAt:], request)
	clear(f.memory[replyAt : replyAt+4096])
	desc := append(u64(address), append(u32(uint32(len(request))), 1, 0, 1, 0)...)
	desc = append(desc, append(u64(guestBase+replyAt), append(u32(replySize), 2, 0, 0, 0)...)...)
	copy(f.memory[descAt:], desc)
	binary.LittleEndian.PutUint16(f.memory[availAt+4+2*int(f.sent%ringSize):], 0)
	f.sent++
	binary.LittleEndian.PutUint16(f.memory[availAt+2:], f.sent)
}

// withdraw takes the last request back.
func (f *frontend) withdraw() {
	f.sent--
	binary.LittleEndian.PutUint16(f.memory[availAt+2:], f.sent)
}

// request returns a request of FUSE as the user 1000 of the guest.
func (f *frontend) request(opcode uint32, node uint64, body []byte) []byte {
	f.unique++
	const inHeader = 40
	request := u32(uint32(inHeader+len(body)), opcode)
	request = append(request, u64(f.unique, node)...)
	return append(append(request, u32(1000, 1000, 1, 0)...), body...)
}

// fuse sends a request of FUSE, and returns the reply.
func (f *frontend) fuse(opcode uint32, node uint64, body []byte) ([]byte, syscall.Errno) {
	f.t.Helper()
	f.offer(guestBase+requestAt, f.request(opcode, node, body))
	f.notify()
	return f.await()
}

func (f *frontend) notify() {
	f.t.Helper()
	if _, err := f.kick.Write(u64(1)); err != nil {
		f.t.Fatal(err)
	}
}

func (f *frontend) await() ([]byte, syscall.Errno) {
	f.t.Helper()
	_ = f.call.SetReadDeadline(time.Now().Add(time.Minute))
	for binary.LittleEndian.Uint16(f.memory[usedAt+2:]) != f.sent {
		if _, err := f.call.Read(make([]byte, 8)); err != nil {
			f.t.Fatalf("no reply to request %d: %v", f.sent, err)
		}
	}
	out := f.memory[replyAt:]
	size, code := binary.LittleEndian.Uint32(out), int32(binary.LittleEndian.Uint32(out[4:]))
	return bytes.Clone(out[16:max(size, 16)]), syscall.Errno(-code)
}

// Opcodes of FUSE; see linux/fuse.h.
const (
	opLookup  = 1
	opGetattr = 3
	opSetattr = 4
	opSymlink = 6
	opMknod   = 8
	opMkdir   = 9
	opUnlink  = 10
	opRmdir   = 11
	opRename  = 12
	opOpen    = 14
	opRead    = 15
	opWrite   = 16
	opRelease = 18
	opInit    = 26
	opOpendir = 27
	opReaddir = 28
	opSetlk   = 32
	opSetlkw  = 33
	opCreate  = 35
	opIoctl   = 39
	opRename2 = 45

	rootNode = 1
)

func (f *frontend) init() {
	f.t.Helper()
	if _, errno := f.fuse(opInit, 0, append(u32(7, 36, 1<<20, 0), make([]byte, 48)...)); errno != 0 {
		f.t.Fatalf("init: %v", errno)
	}
}

func name(texts ...string) (out []byte) {
	for _, text := range texts {
		out = append(append(out, text...), 0)
	}
	return out
}

// entry is a reply with an entry of a directory.
type entry struct {
	node              uint64
	size              uint64
	mode, user, group uint32
}

func parseEntry(reply []byte) entry {
	attr := reply[40:]
	return entry{
		node: binary.LittleEndian.Uint64(reply), size: binary.LittleEndian.Uint64(attr[8:]),
		mode: binary.LittleEndian.Uint32(attr[60:]), user: binary.LittleEndian.Uint32(attr[68:]), group: binary.LittleEndian.Uint32(attr[72:]),
	}
}

func (f *frontend) lookup(node uint64, text string) (entry, syscall.Errno) {
	f.t.Helper()
	reply, errno := f.fuse(opLookup, node, name(text))
	if errno != 0 {
		return entry{}, errno
	}
	return parseEntry(reply), 0
}
