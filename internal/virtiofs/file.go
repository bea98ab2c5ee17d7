//go:build linux

package virtiofs

import (
	"context"
	"sync"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
)

// opened has the requests that a guest may make of an open file. Of what go-fuse can do, it
// leaves out locks, which would hold on the host and block its threads, and ioctl, whose
// arguments go-fuse passes to the host without a check.
type opened interface {
	fs.FileReader
	fs.FileWriter
	fs.FileFlusher
	fs.FileFsyncer
	fs.FileGetattrer
	fs.FileSetattrer
	fs.FileLseeker
	fs.FileAllocater
	fs.FileReleaser
}

// file is an open file of a guest.
type file struct {
	opened

	of *files
}

// Release implements fs.FileReleaser.
func (f *file) Release(ctx context.Context) syscall.Errno {
	f.of.remove(f)
	return f.opened.Release(ctx)
}

// files are the open files of a node. They are all that is left of it after its deletion.
type files struct {
	mu  sync.Mutex
	all map[*file]bool
}

// add returns a new open file, with its descriptor.
func (o *files) add(fd int) fs.FileHandle {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.all == nil {
		o.all = map[*file]bool{}
	}
	f := &file{fs.NewLoopbackFile(fd).(opened), o}
	o.all[f] = true
	return f
}

func (o *files) remove(f *file) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.all, f)
}

// any returns an open file; nil if there is none.
func (o *files) any() *file {
	o.mu.Lock()
	defer o.mu.Unlock()
	for f := range o.all {
		return f
	}
	return nil
}
