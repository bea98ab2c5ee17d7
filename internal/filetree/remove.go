package filetree

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Remove removes path and everything below it. If path is a link, Remove removes the
// link and not its target; it follows links in the parent directories. If there is a
// mount at or below path, Remove removes nothing and returns a *MountedError. It is no
// error if path does not exist. If an entry cannot be removed, Remove continues with
// the others and returns the first error.
func Remove(path string) error {
	if err := CheckUnmounted(path); err != nil {
		return err
	}
	dir, err := openDir(filepath.Dir(path))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove %s: %w", path, err)
	}
	defer dir.Close()
	mount, err := mountOf(dir)
	if err != nil {
		return fmt.Errorf("remove %s: %w", path, err)
	}
	return remover{mount}.entry(dir, filepath.Base(path))
}

// Clear removes the matching entries of the directory at path, as Remove does, and
// keeps the directory. It follows a link at path. It returns the names of the entries
// that do not match.
func Clear(path string, match func(name string) bool) (left []string, err error) {
	dir, err := openDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("clear %s: %w", path, err)
	}
	defer dir.Close()
	mount, err := mountOf(dir)
	if err != nil {
		return nil, fmt.Errorf("clear %s: %w", path, err)
	}
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("clear %s: %w", path, err)
	}
	var matching []string
	for _, name := range names {
		if match(name) {
			matching = append(matching, name)
		} else {
			left = append(left, name)
		}
	}
	for _, name := range matching {
		if err := CheckUnmounted(filepath.Join(dir.Name(), name)); err != nil {
			return left, err
		}
	}
	var errs []error
	for _, name := range matching {
		errs = append(errs, remover{mount}.entry(dir, name))
	}
	return left, errors.Join(errs...)
}

// openDir opens a directory by its resolved path, so that it follows links.
func openDir(path string) (*os.File, error) {
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Open(resolved, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: resolved, Err: err}
	}
	return os.NewFile(uintptr(fd), resolved), nil
}

// remover removes entries that are on one mount.
type remover struct{ mount mountID }

// tries is how often a directory is emptied while another process adds files to it.
const tries = 5

// entry removes one entry of the directory parent, with everything below it.
func (r remover) entry(parent *os.File, name string) error {
	path := filepath.Join(parent.Name(), name)
	var err error
	for range tries {
		err = unix.Unlinkat(int(parent.Fd()), name, 0)
		switch {
		case err == nil, errors.Is(err, unix.ENOENT):
			return nil
		case errors.Is(err, unix.EBUSY):
			return &MountedError{Path: path, Mounts: []Mount{{Point: path, Type: "a file", Source: "another file system"}}}
		case !errors.Is(err, unix.EISDIR) && !errors.Is(err, unix.EPERM): // macOS returns EPERM for a directory
			return &fs.PathError{Op: "remove", Path: path, Err: err}
		}
		retry, dirErr := r.directory(parent, name)
		if dirErr != nil || !retry {
			return dirErr
		}
	}
	return &fs.PathError{Op: "remove", Path: path, Err: err}
}

// directory removes a directory of parent. It returns retry if another process replaced
// the directory meanwhile, or added files to it.
func (r remover) directory(parent *os.File, name string) (retry bool, err error) {
	path := filepath.Join(parent.Name(), name)
	fd, err := unix.Openat(int(parent.Fd()), name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, unix.ENOENT):
		return false, nil
	case errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.ELOOP):
		return true, nil
	case err != nil:
		return false, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	dir := os.NewFile(uintptr(fd), path)
	defer dir.Close()
	if err := r.empty(dir); err != nil {
		return false, err
	}
	err = unix.Unlinkat(int(parent.Fd()), name, unix.AT_REMOVEDIR)
	switch {
	case err == nil, errors.Is(err, unix.ENOENT):
		return false, nil
	case errors.Is(err, unix.ENOTEMPTY), errors.Is(err, unix.EEXIST), errors.Is(err, unix.ENOTDIR):
		return true, nil
	}
	return false, &fs.PathError{Op: "remove", Path: path, Err: err}
}

// empty removes all entries of dir and returns the first error.
func (r remover) empty(dir *os.File) error {
	mount, err := mountOf(dir)
	if err != nil {
		return &fs.PathError{Op: "find the mount of", Path: dir.Name(), Err: err}
	}
	if mount != r.mount {
		return &MountedError{Path: dir.Name(), Mounts: []Mount{{Point: dir.Name(), Type: "a directory", Source: "another file system"}}}
	}
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return err
	}
	var first error
	for _, name := range names {
		if err := r.entry(dir, name); err != nil && first == nil {
			first = err
		}
	}
	return first
}
