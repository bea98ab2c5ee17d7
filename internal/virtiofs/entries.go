//go:build linux

package virtiofs

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

var (
	_ fs.NodeCreater   = (*node)(nil)
	_ fs.NodeMkdirer   = (*node)(nil)
	_ fs.NodeMknoder   = (*node)(nil)
	_ fs.NodeSymlinker = (*node)(nil)
	_ fs.NodeLinker    = (*node)(nil)
	_ fs.NodeUnlinker  = (*node)(nil)
	_ fs.NodeRmdirer   = (*node)(nil)
	_ fs.NodeRenamer   = (*node)(nil)
)

// isName reports whether a name of the guest is that of an entry.
func isName(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "/\x00")
}

// directory opens a directory to change an entry of it.
func (n *node) directory(names ...string) (int, syscall.Errno) {
	for _, name := range names {
		if !isName(name) {
			return -1, syscall.EINVAL
		}
	}
	if !n.tree.writable {
		return -1, syscall.EROFS
	}
	fd, err := n.tree.open(n.path(), unix.O_PATH|unix.O_DIRECTORY)
	return fd, fs.ToErrno(err)
}

// enter changes the entry with a name by a function of its directory.
func (n *node) enter(name string, do func(dir int) error) syscall.Errno {
	dir, errno := n.directory(name)
	if errno != fs.OK {
		return errno
	}
	defer closeFD(dir)
	return fs.ToErrno(do(dir))
}

// made is enter for a new entry, whose node it returns.
func (n *node) made(ctx context.Context, name string, out *fuse.EntryOut, do func(dir int) error) (*fs.Inode, syscall.Errno) {
	if errno := n.enter(name, do); errno != fs.OK {
		return nil, errno
	}
	return n.child(ctx, name, out)
}

// checkRegular refuses an entry that exists and is no regular file, which must not be
// opened: see Open.
func checkRegular(dir int, name string) error {
	var st unix.Stat_t
	err := unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW)
	switch {
	case err == nil && st.Mode&unix.S_IFMT != unix.S_IFREG:
		return unix.ENXIO
	case errors.Is(err, unix.ENOENT):
		return nil
	}
	return err
}

// Create implements fs.NodeCreater.
func (n *node) Create(ctx context.Context, name string, flags, mode uint32, out *fuse.EntryOut) (inode *fs.Inode, file fs.FileHandle, fuseFlags uint32, errno syscall.Errno) {
	var fd int
	how := int(flags&^guestFlags) | int(flags&syscall.O_EXCL) | syscall.O_CREAT | syscall.O_NOFOLLOW | syscall.O_NONBLOCK | syscall.O_CLOEXEC
	errno = n.enter(name, func(dir int) (err error) {
		if err = checkRegular(dir, name); err != nil {
			return err
		}
		fd, err = unix.Openat(dir, name, how, permissions(mode))
		return err
	})
	if errno != fs.OK {
		return nil, nil, 0, errno
	}
	if inode, errno = n.childAt(ctx, fd, out); errno != fs.OK {
		_ = unix.Close(fd)
		return nil, nil, 0, errno
	}
	return inode, inode.Operations().(*node).files.add(fd), 0, fs.OK
}

// Mkdir implements fs.NodeMkdirer.
func (n *node) Mkdir(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	return n.made(ctx, name, out, func(dir int) error { return unix.Mkdirat(dir, name, permissions(mode)) })
}

// Mknod implements fs.NodeMknoder. A device would be one of the host.
func (n *node) Mknod(ctx context.Context, name string, mode, _ uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	kind := mode & syscall.S_IFMT
	if kind != syscall.S_IFREG && kind != syscall.S_IFIFO && kind != syscall.S_IFSOCK {
		return nil, syscall.EPERM
	}
	return n.made(ctx, name, out, func(dir int) error { return unix.Mknodat(dir, name, kind|permissions(mode), 0) })
}

// Symlink implements fs.NodeSymlinker.
func (n *node) Symlink(ctx context.Context, target, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	return n.made(ctx, name, out, func(dir int) error { return unix.Symlinkat(target, dir, name) })
}

// Link implements fs.NodeLinker.
func (n *node) Link(ctx context.Context, target fs.InodeEmbedder, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	from, ok := target.(*node)
	if !ok {
		return nil, syscall.EXDEV
	}
	return n.made(ctx, name, out, func(dir int) error {
		fd, err := from.open()
		if err != nil {
			return err
		}
		defer closeFD(fd)
		return unix.Linkat(unix.AT_FDCWD, procPath(fd), dir, name, unix.AT_SYMLINK_FOLLOW)
	})
}

// Unlink implements fs.NodeUnlinker.
func (n *node) Unlink(_ context.Context, name string) syscall.Errno {
	return n.enter(name, func(dir int) error { return unix.Unlinkat(dir, name, 0) })
}

// Rmdir implements fs.NodeRmdirer.
func (n *node) Rmdir(_ context.Context, name string) syscall.Errno {
	return n.enter(name, func(dir int) error {
		if err := n.tree.hidden.check(dir, name); err != nil {
			return err
		}
		return unix.Unlinkat(dir, name, unix.AT_REMOVEDIR)
	})
}

// Rename implements fs.NodeRenamer.
func (n *node) Rename(_ context.Context, name string, parent fs.InodeEmbedder, newName string, flags uint32) syscall.Errno {
	to, ok := parent.(*node)
	if !ok {
		return syscall.EXDEV
	}
	target, errno := to.directory(newName)
	if errno != fs.OK {
		return errno
	}
	defer closeFD(target)
	return n.enter(name, func(dir int) error {
		if err := cmp.Or(n.tree.hidden.check(dir, name), n.tree.hidden.check(target, newName)); err != nil {
			return err
		}
		return unix.Renameat2(dir, name, target, newName, uint(flags))
	})
}
