//go:build linux

package virtiofs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// tree is a directory of the host with all below it.
type tree struct {
	// root is the descriptor of the directory, dev its device, place its path, and mount
	// the ID of its mount.
	root     int
	dev      uint64
	place    string
	mount    uint64
	writable bool
	hidden   *hidden
}

// node is a file or directory of a tree. Its path is that in go-fuse.
type node struct {
	fs.Inode
	tree  *tree
	files files
}

var (
	_ fs.NodeStatfser       = (*node)(nil)
	_ fs.NodeLookuper       = (*node)(nil)
	_ fs.NodeGetattrer      = (*node)(nil)
	_ fs.NodeSetattrer      = (*node)(nil)
	_ fs.NodeOpener         = (*node)(nil)
	_ fs.NodeReadlinker     = (*node)(nil)
	_ fs.NodeOpendirHandler = (*node)(nil)
)

// newTree opens a directory.
func newTree(dir string, writable bool, private *hidden) (*tree, error) {
	if err := private.checkShare(dir); err != nil {
		return nil, err
	}
	root, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	t := &tree{root: root, writable: writable, hidden: private}
	// Kernels before 5.6, and some sandboxes, do not have the call.
	fd, err := openBeneath(root, ".", unix.O_PATH)
	if err == nil {
		var st unix.Stat_t
		err = unix.Fstat(fd, &st)
		t.dev = st.Dev
		t.place, t.mount, _ = placeOf(fd) // only open is slower without them
		_ = unix.Close(fd)
	}
	if err != nil {
		_ = unix.Close(root)
		return nil, fmt.Errorf("resolve paths in %s: %w", dir, err)
	}
	return t, nil
}

// maxRaces is how often a path is resolved again that was moved meanwhile.
const maxRaces = 100

// open opens a path of the tree. The kernel resolves it beneath the root, and follows no
// symbolic link, so that a guest that moves directories meanwhile does not get out.
func (t *tree) open(name string, flags int) (int, error) {
	if name == "" {
		name = "."
	}
	fd, err := openBeneath(t.root, name, flags)
	if err != nil || !t.mayBeHidden(fd) {
		return fd, err
	}
	closeFD(fd)
	return t.walk(name, flags)
}

// mayBeHidden reports whether a file can be a hidden directory, or in one. A guest can move
// the directories above a hidden one, but cannot rename that. So its name is in the path
// that the file has now, unless the file was reached by another mount.
func (t *tree) mayBeHidden(fd int) bool {
	if is, err := t.hidden.has(fd, ""); err != nil || is {
		return true
	}
	path, mount, err := placeOf(fd)
	if below, isBelow := strings.CutPrefix(path, t.place+"/"); isBelow {
		path = below
	} else if path == t.place {
		path = ""
	}
	return err != nil || mount != t.mount || t.hidden.isNamedIn(path)
}

// placeOf returns the path that a file has now, and the ID of its mount.
func placeOf(fd int) (path string, mount uint64, err error) {
	var st unix.Statx_t
	if err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_MNT_ID, &st); err != nil {
		return "", 0, err
	}
	if st.Mask&unix.STATX_MNT_ID == 0 {
		return "", 0, unix.ENOTSUP
	}
	text := make([]byte, unix.PathMax)
	n, err := unix.Readlink(procPath(fd), text)
	if err == nil && n == len(text) {
		err = unix.ENAMETOOLONG
	}
	return string(text[:max(n, 0)]), st.Mnt_id, err
}

// walk is open for a path that may lead into a hidden directory. It opens one name after
// the other: if a guest moved directories meanwhile, a check of the whole path could be
// of another directory than the open one.
func (t *tree) walk(name string, flags int) (int, error) {
	for dir := t.root; ; {
		first, rest, isBelow := strings.Cut(name, "/")
		how := flags
		if isBelow {
			how = unix.O_PATH | unix.O_NOFOLLOW
		}
		fd, err := t.openAt(dir, first, how)
		if dir != t.root {
			closeFD(dir)
		}
		if err != nil || !isBelow {
			return fd, err
		}
		dir, name = fd, rest
	}
}

// openAt opens an entry of a directory that is not hidden.
func (t *tree) openAt(dir int, name string, flags int) (int, error) {
	fd, err := openBeneath(dir, name, flags)
	if err != nil {
		return -1, err
	}
	if is, err := t.hidden.has(fd, name); err != nil || is {
		closeFD(fd)
		return -1, cmp.Or(err, error(unix.ENOENT))
	}
	return fd, nil
}

// openBeneath opens a path that leads neither out of a directory nor through a link.
func openBeneath(dir int, name string, flags int) (int, error) {
	how := unix.OpenHow{
		Flags:   uint64(flags | unix.O_CLOEXEC),
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS,
	}
	for races := 0; ; races++ {
		fd, err := unix.Openat2(dir, name, &how)
		if races < maxRaces && (errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR)) {
			continue
		}
		return fd, err
	}
}

func closeFD(fd int) { _ = unix.Close(fd) }

// procPath is a path of the file with a descriptor, for calls without one for O_PATH.
func procPath(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

// path returns the path of the node in the tree. That of a deleted node does not exist.
func (n *node) path() string { return n.Path(n.Root()) }

// open opens the node itself, also if it is a symbolic link, only to refer to it.
func (n *node) open() (int, error) { return n.tree.open(n.path(), unix.O_PATH|unix.O_NOFOLLOW) }

// child returns the node of an entry that exists.
func (n *node) child(ctx context.Context, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	fd, err := n.tree.open(path.Join(n.path(), name), unix.O_PATH|unix.O_NOFOLLOW)
	if err != nil {
		return nil, fs.ToErrno(err)
	}
	defer closeFD(fd)
	return n.childAt(ctx, fd, out)
}

// childAt returns the node of an entry that is open.
func (n *node) childAt(ctx context.Context, fd int, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	id, err := n.tree.stat(fd, &out.Attr)
	if err != nil {
		return nil, fs.ToErrno(err)
	}
	return n.NewInode(ctx, &node{tree: n.tree}, id), fs.OK
}

// Lookup implements fs.NodeLookuper.
func (n *node) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	if !isName(name) {
		return nil, syscall.EINVAL
	}
	return n.child(ctx, name, out)
}

// Statfs implements fs.NodeStatfser.
func (n *node) Statfs(_ context.Context, out *fuse.StatfsOut) syscall.Errno {
	fd, err := n.open()
	if err != nil {
		return fs.ToErrno(err)
	}
	defer closeFD(fd)
	var s syscall.Statfs_t
	if err := syscall.Fstatfs(fd, &s); err != nil {
		return fs.ToErrno(err)
	}
	out.FromStatfsT(&s)
	return fs.OK
}

// Getattr implements fs.NodeGetattrer.
func (n *node) Getattr(ctx context.Context, handle fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	if file, ok := handle.(*file); ok {
		errno := file.Getattr(ctx, out)
		own(&out.Owner)
		out.Ino = n.StableAttr().Ino
		return errno
	}
	fd, err := n.open()
	if file := n.files.any(); errors.Is(err, unix.ENOENT) && file != nil {
		return n.Getattr(ctx, file, out) // Linux names no file in a request such as fstat
	}
	if err != nil {
		return fs.ToErrno(err)
	}
	defer closeFD(fd)
	_, err = n.tree.stat(fd, &out.Attr)
	return fs.ToErrno(err)
}

// Setattr implements fs.NodeSetattrer. A change of the owner is ignored.
func (n *node) Setattr(ctx context.Context, handle fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	if !n.tree.writable {
		return syscall.EROFS
	}
	in.Valid &^= fuse.FATTR_UID | fuse.FATTR_GID
	in.Mode = permissions(in.Mode)
	if file, ok := handle.(*file); ok {
		if errno := file.Setattr(ctx, in, out); errno != fs.OK {
			return errno
		}
		return n.Getattr(ctx, file, out)
	}
	fd, err := n.open()
	if file := n.files.any(); errors.Is(err, unix.ENOENT) && file != nil {
		return n.Setattr(ctx, file, in, out)
	}
	if err != nil {
		return fs.ToErrno(err)
	}
	defer closeFD(fd)
	if err := change(fd, in); err != nil {
		return fs.ToErrno(err)
	}
	_, err = n.tree.stat(fd, &out.Attr)
	return fs.ToErrno(err)
}

// guestFlags are the flags of open(2) that the guest handles itself, or must not set.
const guestFlags = syscall.O_APPEND | syscall.O_DIRECT | syscall.O_NOFOLLOW | syscall.O_CREAT | syscall.O_EXCL | fuse.FMODE_EXEC

// Open implements fs.NodeOpener. It opens only regular files: a pipe would block, and a
// device is one of the host.
func (n *node) Open(_ context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	if !n.tree.writable && (flags&syscall.O_ACCMODE != syscall.O_RDONLY || flags&syscall.O_TRUNC != 0) {
		return nil, 0, syscall.EROFS
	}
	fd, err := n.open()
	if err != nil {
		return nil, 0, fs.ToErrno(err)
	}
	defer closeFD(fd)
	var st syscall.Stat_t
	if err := syscall.Fstat(fd, &st); err != nil {
		return nil, 0, fs.ToErrno(err)
	}
	if st.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return nil, 0, syscall.ENXIO
	}
	file, err := syscall.Open(procPath(fd), int(flags&^guestFlags)|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, 0, fs.ToErrno(err)
	}
	return n.files.add(file), 0, fs.OK
}

// Readlink implements fs.NodeReadlinker.
func (n *node) Readlink(context.Context) ([]byte, syscall.Errno) {
	fd, err := n.open()
	if err != nil {
		return nil, fs.ToErrno(err)
	}
	defer closeFD(fd)
	target := make([]byte, unix.PathMax)
	size, err := unix.Readlinkat(fd, "", target)
	if err != nil {
		return nil, fs.ToErrno(err)
	}
	return target[:size], fs.OK
}

// OpendirHandle implements fs.NodeOpendirHandler.
func (n *node) OpendirHandle(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	fd, err := n.tree.open(n.path(), unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, 0, fs.ToErrno(err)
	}
	entries, errno := fs.NewLoopbackDirStreamFd(fd)
	if errno != fs.OK {
		return nil, 0, errno
	}
	return listing{entries.(stream), fd, n.tree.hidden}, 0, fs.OK
}
