//go:build linux

package virtiofs

import (
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A file that any user of the guest makes belongs to the user on the host, and to
// GuestUser in the guest.
func TestFilesBelongToUser(t *testing.T) {
	dir := t.TempDir()
	f := serve(t, dir, true)
	reply, errno := f.fuse(opCreate, rootNode, append(u32(syscall.O_RDWR, 0o104640, 0, 0), name("new")...))
	if errno != 0 {
		t.Fatalf("create: %v", errno)
	}
	made, handle := parseEntry(reply), binary.LittleEndian.Uint64(reply[128:])
	if made.user != GuestUser || made.group != GuestUser {
		t.Errorf("in the guest the file belongs to %d:%d", made.user, made.group)
	}
	const text = "written by the guest"
	head := append(u64(handle, 0), u32(uint32(len(text)), 0)...)
	head = append(append(head, u64(0)...), u32(0, 0)...)
	if _, errno := f.fuse(opWrite, made.node, append(head, text...)); errno != 0 {
		t.Errorf("write: %v", errno)
	}
	// chown to another user succeeds, and changes nothing.
	change := append(append(u32(1<<1|1<<2|1<<6, 0), u64(handle)...), make([]byte, 72)...)
	binary.LittleEndian.PutUint32(change[76:], 999)
	binary.LittleEndian.PutUint32(change[80:], 999)
	if _, errno := f.fuse(opSetattr, made.node, change); errno != 0 {
		t.Errorf("chown: %v", errno)
	}
	var st syscall.Stat_t
	if err := syscall.Stat(filepath.Join(dir, "new"), &st); err != nil {
		t.Fatal(err)
	}
	if int(st.Uid) != os.Geteuid() || st.Mode&0o7777 != 0o640 {
		t.Errorf("on the host the file belongs to %d, with mode %o", st.Uid, st.Mode)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "new")); string(got) != text || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, errno := f.fuse(opMknod, rootNode, append(u32(syscall.S_IFCHR|0o600, 0x103, 0, 0), name("null")...)); errno != syscall.EPERM {
		t.Errorf("a device: %v", errno)
	}
}

// A pipe, or a device of the host, is not opened by a create either.
func TestCreateOpensRegularFilesOnly(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "file"), "text")
	f := serve(t, dir, true)
	for entry, want := range map[string]syscall.Errno{"pipe": syscall.ENXIO, "file": 0} {
		if _, errno := f.fuse(opCreate, rootNode, append(u32(syscall.O_RDWR, 0o100600, 0, 0), name(entry)...)); errno != want {
			t.Errorf("create %s: %v, want %v", entry, errno, want)
		}
	}
}

func TestReadOnlyShareRefusesChanges(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "old"), "text")
	f := serve(t, dir, false)
	old, errno := f.lookup(rootNode, "old")
	if errno != 0 || old.size != 4 {
		t.Fatalf("lookup: %+v, %v", old, errno)
	}
	for what, request := range map[string]struct {
		opcode uint32
		node   uint64
		body   []byte
	}{
		"create":   {opCreate, rootNode, append(u32(syscall.O_RDWR, 0o100600, 0, 0), name("new")...)},
		"mkdir":    {opMkdir, rootNode, append(u32(0o755, 0), name("new")...)},
		"symlink":  {opSymlink, rootNode, name("new", "old")},
		"unlink":   {opUnlink, rootNode, name("old")},
		"rename":   {opRename, rootNode, append(u64(rootNode), name("old", "new")...)},
		"chmod":    {opSetattr, old.node, append(u32(1, 0), make([]byte, 80)...)},
		"open":     {opOpen, old.node, u32(syscall.O_WRONLY, 0)},
		"truncate": {opOpen, old.node, u32(syscall.O_RDONLY|syscall.O_TRUNC, 0)},
	} {
		if _, errno := f.fuse(request.opcode, request.node, request.body); errno != syscall.EROFS {
			t.Errorf("%s: %v", what, errno)
		}
	}
	if got, err := os.ReadFile(filepath.Join(dir, "old")); string(got) != "text" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// The guest resolves symbolic links itself. On the host none is followed, even if one
// takes the place of a directory that the guest knows.
func TestNoPathLeadsOutside(t *testing.T) {
	top := t.TempDir()
	dir, outside := filepath.Join(top, "shared"), filepath.Join(top, "outside")
	for _, path := range []string{dir, outside, filepath.Join(dir, "d")} {
		if err := os.Mkdir(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(outside, "secret"), "secret")
	write(t, filepath.Join(dir, "d", "secret"), "known")
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	f := serve(t, dir, true)
	link, errno := f.lookup(rootNode, "link")
	if errno != 0 || link.mode&syscall.S_IFMT != syscall.S_IFLNK {
		t.Fatalf("link: %+v, %v", link, errno)
	}
	d, errno := f.lookup(rootNode, "d")
	if errno != 0 {
		t.Fatal(errno)
	}
	known, errno := f.lookup(d.node, "secret")
	if errno != 0 {
		t.Fatal(errno)
	}
	if err := os.Rename(filepath.Join(dir, "d"), filepath.Join(top, "moved")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "d")); err != nil {
		t.Fatal(err)
	}
	for _, node := range []uint64{link.node, d.node} {
		if got, errno := f.lookup(node, "secret"); errno == 0 {
			t.Errorf("lookup through a link: %+v", got)
		}
		if _, errno := f.fuse(opCreate, node, append(u32(syscall.O_RDWR, 0o100600, 0, 0), name("new")...)); errno == 0 {
			t.Error("a file was created through a link")
		}
		if _, errno := f.fuse(opUnlink, node, name("secret")); errno == 0 {
			t.Error("a file was removed through a link")
		}
	}
	if _, errno := f.fuse(opOpen, known.node, u32(syscall.O_RDWR, 0)); errno == 0 {
		t.Error("a file was opened through a link")
	}
	for _, text := range []string{"..", "", "d/secret", "../outside/secret"} {
		if got, errno := f.lookup(rootNode, text); errno == 0 {
			t.Errorf("lookup of %q: %+v", text, got)
		}
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) != 1 {
		t.Errorf("outside are %v, %v", entries, err)
	}
}

// QEMU stops the queues when it pauses the guest, and starts them again.
func TestQueueStopsAndContinues(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "old"), "text")
	f := serve(t, dir, true)
	for range 3 * ringSize {
		if _, errno := f.lookup(rootNode, "old"); errno != 0 {
			t.Fatal(errno)
		}
	}
	base := f.send(getVringBase, u32(1, 0))
	if got := binary.LittleEndian.Uint32(base[4:]); got != uint32(f.sent) {
		t.Fatalf("the queue stopped at %d of %d requests", got, f.sent)
	}
	f.offer(guestBase+requestAt, f.request(opLookup, rootNode, name("old")))
	f.setMemory()
	f.startQueue(f.sent - 1)
	_ = f.call.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := f.call.Read(make([]byte, 8)); err != nil {
		t.Errorf("the guest was not notified: %v", err)
	}
	if reply, errno := f.await(); errno != 0 || parseEntry(reply).size != 4 {
		t.Errorf("after the pause: %v, %v", reply, errno)
	}
	if got, errno := f.lookup(rootNode, "old"); errno != 0 || got.size != 4 {
		t.Errorf("after the pause: %+v, %v", got, errno)
	}
}

// A buffer outside of the guest's memory ends its queue, and not the server.
func TestInvalidRequestEndsQueue(t *testing.T) {
	f := serve(t, t.TempDir(), true)
	for _, address := range []uint64{0, guestBase + memorySize, 1<<64 - 8} {
		f.offer(address, make([]byte, 64))
		f.notify()
		f.send(getFeatures, nil)
		f.send(getVringBase, u32(1, 0))
		f.withdraw()
		f.startQueue(f.sent)
		if _, errno := f.fuse(opGetattr, rootNode, append(u32(0, 0), u64(0)...)); errno != 0 {
			t.Errorf("after a request at %#x: %v", address, errno)
		}
	}
	if got := f.send(setVringNum, u32(7, 8)); binary.LittleEndian.Uint64(got) == 0 {
		t.Error("there is an eighth queue")
	}
	if got := f.send(99, nil); binary.LittleEndian.Uint64(got) == 0 {
		t.Error("an unknown request succeeded")
	}
}

func TestServeEndsWithQEMU(t *testing.T) {
	f := serve(t, t.TempDir(), true)
	f.conn.Close()
	select {
	case err := <-f.ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("the server still runs")
	}
}

// A host agent that is killed before QEMU is connected leaves no server.
func TestServeEndsWithStarter(t *testing.T) {
	dir := t.TempDir()
	starter, stop := io.Pipe()
	stop.Close()
	err := Serve([]Share{{Dir: dir, Socket: filepath.Join(dir, "s")}}, Private{}, starter)
	if err == nil || !strings.Contains(err.Error(), "wait for QEMU") {
		t.Error(err)
	}
	if err := Serve([]Share{{Dir: filepath.Join(dir, "missing"), Socket: filepath.Join(dir, "s")}}, Private{}, starter); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Error(err)
	}
}

// No content of the guest's memory makes a buffer outside of it.
func FuzzChain(f *testing.F) {
	f.Add(make([]byte, 64), uint16(0), uint8(4))
	f.Add(make([]byte, 64), uint16(9), uint8(4)) // outside of the table
	f.Add(append(u64(guestBase), append(u32(32), 4, 0, 0, 0)...), uint16(0), uint8(1))
	f.Add(append(u64(guestBase), append(u32(8), 1, 0, 0, 0)...), uint16(0), uint8(8))
	f.Fuzz(func(t *testing.T, data []byte, head uint16, size uint8) {
		m := &memory{regions: []region{{guest: guestBase, data: data}}}
		count := min(int(size), len(data)/descSize)
		q := &queue{size: uint32(count), memory: m, ring: ring{desc: data[:count*descSize]}}
		request, reply, err := q.chain(head)
		if err != nil {
			return
		}
		for _, part := range append(request, reply...) {
			if len(part) == 0 || len(part) > len(data) {
				t.Fatalf("a buffer of %d bytes", len(part))
			}
		}
	})
}
