package filetree

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"syscall"
)

// Usage adds up the space that files occupy on the disk. The zero value is empty.
type Usage struct {
	// Bytes is the allocated space, so that a sparse file counts with what it holds.
	Bytes int64
	// Partial is set if files could not be inspected, or if a context ended first.
	Partial bool

	seen map[inode]bool
}

// inode identifies a file.
type inode struct{ device, number uint64 }

// Add adds the file or tree at path. It follows links only in the parent directories of
// path, and enters no directory on which something else is mounted. What was added
// before, also by another name, is not added again. A missing path adds nothing.
func (u *Usage) Add(ctx context.Context, path string) {
	root := atParent(path)
	mounts, err := mountsBelow(root)
	if err != nil {
		u.Partial = true
	}
	mounted := map[string]bool{}
	for _, m := range mounts {
		mounted[m.Point] = m.Point != root
	}
	_ = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			u.Partial = true
			return fs.SkipAll
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			u.Partial = true
			return nil //nolint:nilerr // the rest is still counted
		case mounted[path] && entry.IsDir():
			return fs.SkipDir
		case mounted[path]:
			return nil
		}
		return u.file(entry)
	})
}

// file adds one file. It returns fs.SkipDir for a directory that was added before.
func (u *Usage) file(entry fs.DirEntry) error {
	info, err := entry.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	stat, ok := (*syscall.Stat_t)(nil), false
	if err == nil {
		stat, ok = info.Sys().(*syscall.Stat_t)
	}
	if !ok {
		u.Partial = true
		return nil
	}
	if entry.IsDir() || stat.Nlink > 1 {
		id := inode{uint64(stat.Dev), stat.Ino} //nolint:unconvert // Its type differs on macOS.
		if u.seen[id] {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if u.seen == nil {
			u.seen = map[inode]bool{}
		}
		u.seen[id] = true
	}
	const blockSize = 512 // of st_blocks, on every file system
	u.Bytes += stat.Blocks * blockSize
	return nil
}
