//go:build linux

package virtiofs

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// list returns the names in a directory.
func (f *frontend) list(node uint64) (names []string) {
	f.t.Helper()
	reply, errno := f.fuse(opOpendir, node, u32(0, 0))
	if errno != 0 {
		f.t.Fatalf("open the directory: %v", errno)
	}
	handle := binary.LittleEndian.Uint64(reply)
	request := append(append(u64(handle, 0), u32(4096, 0)...), make([]byte, 16)...)
	reply, errno = f.fuse(opReaddir, node, request)
	if errno != 0 {
		f.t.Fatalf("list the directory: %v", errno)
	}
	for len(reply) > 0 {
		size := binary.LittleEndian.Uint32(reply[16:])
		names = append(names, string(reply[24:24+size]))
		reply = reply[(24+size+7)/8*8:]
	}
	slices.Sort(names)
	return names
}

func mkdir(t *testing.T, path ...string) string {
	t.Helper()
	dir := filepath.Join(path...)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A guest finds a directory of rdd in a home neither by its name, nor at any path that the
// directory gets, and cannot move it.
func TestPrivateDirectoriesAreHidden(t *testing.T) {
	home := t.TempDir()
	mkdir(t, home, "empty")
	write(t, filepath.Join(mkdir(t, home, "private"), "token"), "secret")
	write(t, filepath.Join(mkdir(t, home, "above", "state"), "token"), "secret")
	write(t, filepath.Join(mkdir(t, home, "known", "state"), "token"), "visible")
	f := serveWithout(t, home, true, Private{
		Dirs:     []string{filepath.Join(home, "private"), filepath.Join(home, "empty"), filepath.Join(home, "missing"), filepath.Join(home, "above", "state")},
		Prefixes: []string{"rdd-"}, Marker: "owner",
	})
	above, errno := f.lookup(rootNode, "known")
	if errno != 0 {
		t.Fatal(errno)
	}
	known, errno := f.lookup(above.node, "state")
	if errno != 0 {
		t.Fatal(errno)
	}
	token, errno := f.lookup(known.node, "token")
	if errno != 0 {
		t.Fatal(errno)
	}
	// A later one, and directories with similar names.
	write(t, filepath.Join(mkdir(t, home, "rdd-2"), "owner"), "2")
	mkdir(t, home, "rdd-src")
	write(t, filepath.Join(mkdir(t, home, "other"), "owner"), "2")
	hidden := []string{"private", "empty", "rdd-2"}

	if got := f.list(rootNode); !slices.Equal(got, []string{".", "..", "above", "known", "other", "rdd-src"}) {
		t.Errorf("the guest sees %q", got)
	}
	for _, dir := range hidden {
		if _, errno := f.lookup(rootNode, dir); errno != syscall.ENOENT {
			t.Errorf("lookup of %s: %v", dir, errno)
		}
		if _, errno := f.fuse(opRename, rootNode, append(u64(rootNode), name(dir, "moved")...)); errno != syscall.ENOENT {
			t.Errorf("rename of %s: %v", dir, errno)
		}
		exchange := append(append(u64(rootNode), u32(2, 0)...), name("known", dir)...)
		if _, errno := f.fuse(opRename2, rootNode, exchange); errno != syscall.ENOENT {
			t.Errorf("exchange with %s: %v", dir, errno)
		}
		if _, errno := f.fuse(opRmdir, rootNode, name(dir)); errno != syscall.ENOENT {
			t.Errorf("removal of %s: %v", dir, errno)
		}
	}

	// It takes the place of a directory that the guest knows, as during a race.
	if err := unix.Renameat2(unix.AT_FDCWD, filepath.Join(home, "above"), unix.AT_FDCWD, filepath.Join(home, "known"), unix.RENAME_EXCHANGE); err != nil {
		t.Fatal(err)
	}
	if _, errno := f.lookup(known.node, "token"); errno != syscall.ENOENT {
		t.Errorf("lookup in the moved directory: %v", errno)
	}
	if _, errno := f.fuse(opOpen, token.node, u32(syscall.O_RDONLY, 0)); errno != syscall.ENOENT {
		t.Errorf("open in the moved directory: %v", errno)
	}
	if _, errno := f.fuse(opCreate, known.node, append(u32(syscall.O_RDWR, 0o100600, 0, 0), name("new")...)); errno != syscall.ENOENT {
		t.Errorf("create in the moved directory: %v", errno)
	}
	if _, errno := f.fuse(opOpendir, known.node, u32(0, 0)); errno != syscall.ENOENT {
		t.Errorf("list the moved directory: %v", errno)
	}
}

func TestPrivateDirectoriesAreNotShared(t *testing.T) {
	home := t.TempDir()
	below := mkdir(t, home, "private", "below")
	if err := os.Symlink(below, filepath.Join(home, "link")); err != nil {
		t.Fatal(err)
	}
	hidden := hide(Private{Dirs: []string{filepath.Join(home, "private")}})
	for dir, isRefused := range map[string]bool{"private": true, "private/below": true, "link": true, "": false} {
		_, err := newTree(filepath.Join(home, dir), false, hidden)
		if refused := err != nil && strings.Contains(err.Error(), "is a directory of rdd"); refused != isRefused {
			t.Errorf("share %q: %v", dir, err)
		}
	}
}
