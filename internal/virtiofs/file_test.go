//go:build linux

package virtiofs

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A guest that opens a file can use none of the host's ioctls and locks.
func TestOpenFileHasNoIoctlAndNoLocks(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	write(t, path, "text")
	f := serve(t, dir, false)
	entry, errno := f.lookup(rootNode, "file")
	if errno != 0 {
		t.Fatal(errno)
	}
	reply, errno := f.fuse(opOpen, entry.node, u32(syscall.O_RDONLY, 0))
	if errno != 0 {
		t.Fatal(errno)
	}
	handle := binary.LittleEndian.Uint64(reply)
	const fionread, setFlags = 0x541b, 0x40086602
	target := make([]byte, 8)
	for _, request := range []uint32{fionread, setFlags} {
		body := append(append(u64(handle), u32(0, request)...), append(u64(0), u32(0, 0)...)...)
		if _, errno := f.fuse(opIoctl, entry.node, append(body, target...)); errno == 0 {
			t.Errorf("ioctl %#x succeeds", request)
		}
	}
	const flock = 1
	lock := append(append(u64(handle, 1, 0, 1<<62), u32(syscall.F_WRLCK, 1)...), u32(flock, 0)...)
	for _, opcode := range []uint32{opSetlk, opSetlkw} {
		if _, errno := f.fuse(opcode, entry.node, lock); errno == 0 {
			t.Error("a lock succeeds")
		}
	}
	host, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	if err := unix.Flock(int(host.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		t.Errorf("the guest has locked the file on the host: %v", err)
	}
}

// A deleted file has only its open files, and its requests change no other file.
func TestDeletedFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	f := serve(t, dir, true)
	reply, errno := f.fuse(opCreate, rootNode, append(u32(syscall.O_RDWR, 0o100640, 0, 0), name("deleted")...))
	if errno != 0 {
		t.Fatal(errno)
	}
	made, handle := parseEntry(reply), binary.LittleEndian.Uint64(reply[128:])
	if _, errno := f.fuse(opUnlink, rootNode, name("deleted")); errno != 0 {
		t.Fatal(errno)
	}
	chmod := append(u32(1, 0), make([]byte, 80)...)
	binary.LittleEndian.PutUint32(chmod[68:], 0o600)
	if reply, errno := f.fuse(opSetattr, made.node, chmod); errno != 0 || binary.LittleEndian.Uint32(reply[16+60:])&0o777 != 0o600 {
		t.Errorf("chmod: %v", errno)
	}
	if _, errno := f.fuse(opGetattr, made.node, append(u32(0, 0), u64(0)...)); errno != 0 {
		t.Errorf("stat: %v", errno)
	}
	if _, errno := f.fuse(opRelease, made.node, append(u64(handle), make([]byte, 16)...)); errno != 0 {
		t.Errorf("close: %v", errno)
	}
	for what, opcode := range map[string]uint32{"chmod": opSetattr, "stat": opGetattr} {
		if _, errno := f.fuse(opcode, made.node, chmod); errno != syscall.ENOENT {
			t.Errorf("%s of a file that is gone: %v", what, errno)
		}
	}
	var st syscall.Stat_t
	if err := syscall.Stat(dir, &st); err != nil || st.Mode&0o777 != 0o755 {
		t.Errorf("the shared directory has mode %o, %v", st.Mode, err)
	}
}

// A guest that has used up all descriptors cannot move a hidden directory.
func TestCheckWithoutDescriptorsRefuses(t *testing.T) {
	dir := t.TempDir()
	hidden := hide(Private{Dirs: []string{mkdir(t, dir, "private")}})
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer closeFD(fd)
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 1, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	err = hidden.check(fd, "private")
	if restored := unix.Setrlimit(unix.RLIMIT_NOFILE, &before); restored != nil {
		t.Fatal(restored)
	}
	if err == nil {
		t.Error("without descriptors, a hidden directory counts as visible")
	}
	if err := hidden.check(fd, "missing"); err != nil {
		t.Errorf("an entry that does not exist: %v", err)
	}
}
