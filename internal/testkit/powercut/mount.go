//go:build linux

package powercut

import (
	"bytes"
	"context"
	"sync"
	"syscall"
	"testing"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// Mount mounts the recorded directory at dir until the test ends. It skips the test on a
// machine where that is impossible: it needs /dev/fuse, and root or fusermount3.
func Mount(t *testing.T, dir string) *Record {
	t.Helper()
	record := &Record{}
	server, err := fs.Mount(dir, &directory{record: record}, &fs.Options{MountOptions: fuse.MountOptions{
		FsName: "powercut", Name: "powercut", DirectMount: true, DisableXAttrs: true,
	}})
	if err != nil {
		t.Skipf("mount a file system in user space: %v: install fuse3, or run the test as root", err)
	}
	t.Cleanup(func() {
		if err := server.Unmount(); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return record
}

// directory is the root, which has no other directories.
type directory struct {
	fs.Inode

	record *Record
}

var (
	_ fs.NodeCreater  = (*directory)(nil)
	_ fs.NodeUnlinker = (*directory)(nil)
	_ fs.NodeRenamer  = (*directory)(nil)
	_ fs.NodeFsyncer  = (*directory)(nil)
)

func (d *directory) Create(ctx context.Context, name string, _, _ uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	node := &node{record: d.record, number: d.record.create(name)}
	out.Mode = node.mode()
	return d.NewInode(ctx, node, fs.StableAttr{Mode: syscall.S_IFREG}), nil, 0, fs.OK
}

func (d *directory) Unlink(_ context.Context, name string) syscall.Errno {
	d.record.add(step{operation: unlink, name: name})
	return fs.OK
}

func (d *directory) Rename(_ context.Context, name string, _ fs.InodeEmbedder, newName string, flags uint32) syscall.Errno {
	if flags != 0 {
		return syscall.EINVAL // an exchange
	}
	d.record.add(step{operation: rename, name: name, to: newName})
	return fs.OK
}

func (d *directory) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	d.record.add(step{operation: syncDirectory})
	return fs.OK
}

// node is a file.
type node struct {
	fs.Inode

	record *Record
	number int

	mu      sync.Mutex
	content []byte
}

var (
	_ fs.NodeOpener    = (*node)(nil)
	_ fs.NodeReader    = (*node)(nil)
	_ fs.NodeWriter    = (*node)(nil)
	_ fs.NodeFsyncer   = (*node)(nil)
	_ fs.NodeGetattrer = (*node)(nil)
	_ fs.NodeSetattrer = (*node)(nil)
)

func (n *node) mode() uint32 { return syscall.S_IFREG | 0o600 }

func (n *node) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, fuse.FOPEN_KEEP_CACHE, fs.OK
}

func (n *node) Read(_ context.Context, _ fs.FileHandle, dest []byte, offset int64) (fuse.ReadResult, syscall.Errno) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if offset >= int64(len(n.content)) {
		return fuse.ReadResultData(nil), fs.OK
	}
	return fuse.ReadResultData(dest[:copy(dest, n.content[offset:])]), fs.OK
}

func (n *node) Write(_ context.Context, _ fs.FileHandle, data []byte, offset int64) (uint32, syscall.Errno) {
	n.change(step{operation: write, offset: offset, data: bytes.Clone(data)})
	return uint32(len(data)), fs.OK //nolint:gosec // the kernel writes a megabyte at most
}

func (n *node) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	n.change(step{operation: syncFile})
	return fs.OK
}

func (n *node) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	n.mu.Lock()
	defer n.mu.Unlock()
	out.Mode, out.Size = n.mode(), uint64(len(n.content))
	return fs.OK
}

func (n *node) Setattr(ctx context.Context, handle fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	if size, ok := in.GetSize(); ok {
		n.change(step{operation: truncate, offset: int64(size)}) //nolint:gosec // the kernel limits it
	}
	return n.Getattr(ctx, handle, out)
}

// change makes and records a change, so that the record has the order of the changes.
func (n *node) change(s step) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s.file = n.number
	n.content = s.applyTo(n.content)
	n.record.add(s)
}
