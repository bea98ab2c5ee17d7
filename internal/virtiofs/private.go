//go:build linux

package virtiofs

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// identity identifies a directory, whatever its path.
type identity struct{ dev, ino uint64 }

// hidden finds the directories of a Private. A guest does not see them in a shared
// directory, cannot open them by any path, and cannot move them.
type hidden struct {
	Private

	dirs map[identity]bool
	// names are the names of dirs in lower case: some file systems ignore the case.
	names map[string]bool
}

// hide returns what hides the directories that exist.
func hide(p Private) *hidden {
	h := &hidden{Private: p, dirs: map[identity]bool{}, names: map[string]bool{}}
	for _, dir := range p.Dirs {
		target, err := filepath.EvalSymlinks(dir)
		if err != nil {
			continue
		}
		var st unix.Stat_t
		if err := unix.Stat(target, &st); err == nil {
			h.dirs[identity{st.Dev, st.Ino}] = true
			h.names[strings.ToLower(filepath.Base(target))] = true
		}
	}
	return h
}

// isNamedIn reports whether a path has the name of a hidden directory.
func (h *hidden) isNamedIn(path string) bool {
	for name := range strings.SplitSeq(strings.ToLower(path), "/") {
		if h.names[name] || h.isMarked(name) {
			return true
		}
	}
	return false
}

// isMarked reports whether the name of a directory is one of those that Marker marks.
func (h *hidden) isMarked(name string) bool {
	for _, prefix := range h.Prefixes {
		if strings.HasPrefix(strings.ToLower(name), prefix) {
			return true
		}
	}
	return false
}

// has reports whether a file, which is open and has a name, is hidden.
func (h *hidden) has(fd int, name string) (bool, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return false, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return false, nil
	}
	if h.dirs[identity{st.Dev, st.Ino}] {
		return true, nil
	}
	if !h.isMarked(name) {
		return false, nil
	}
	err := unix.Fstatat(fd, h.Marker, &st, unix.AT_SYMLINK_NOFOLLOW)
	return err == nil && st.Mode&unix.S_IFMT == unix.S_IFREG, nil
}

// check returns an error unless an entry of a directory is known not to be hidden. One that
// does not exist is not.
func (h *hidden) check(dir int, name string) error {
	fd, err := unix.Openat(dir, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return err
	}
	defer closeFD(fd)
	if is, err := h.has(fd, name); err != nil || !is {
		return err
	}
	return errHidden
}

// errHidden is the answer to a request for a hidden directory.
const errHidden = unix.ENOENT

// checkShare refuses to share a hidden directory, or one that is in such a directory.
func (h *hidden) checkShare(dir string) error {
	above, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	for ; ; above = filepath.Dir(above) {
		fd, err := unix.Open(above, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		is, err := h.has(fd, filepath.Base(above))
		closeFD(fd)
		switch {
		case err != nil:
			return err
		case is:
			return fmt.Errorf("%s is a directory of rdd, whose keys the guest must not read: share another directory", above)
		case above == "/":
			return nil
		}
	}
}

// stream is an open directory.
type stream interface {
	fs.FileReaddirenter
	fs.FileSeekdirer
	fs.FileReleasedirer
	fs.FileFsyncdirer
}

// listing is a stream without the hidden directories.
type listing struct {
	stream

	dir    int
	hidden *hidden
}

// Readdirent implements fs.FileReaddirenter.
func (l listing) Readdirent(ctx context.Context) (*fuse.DirEntry, syscall.Errno) {
	for {
		entry, errno := l.stream.Readdirent(ctx)
		if entry == nil || errno != fs.OK || !isName(entry.Name) || !errors.Is(l.hidden.check(l.dir, entry.Name), errHidden) {
			return entry, errno
		}
	}
}
