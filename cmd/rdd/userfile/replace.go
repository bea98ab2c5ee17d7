package userfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
)

// Replace replaces the content of the file at path, atomically: readers see the old
// content or the new one, also after a power cut. It follows links, and keeps the mode
// and, if this user may set it, the owner. A new file has mode 0600, and its missing
// directories 0700. Replace returns an error that wraps fs.ErrPermission for a file
// that its mode protects against this user's writes.
func Replace(path string, content []byte) error {
	target := filetree.Resolve(path)
	before, err := os.Lstat(target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		before, err = nil, os.MkdirAll(filepath.Dir(target), 0o700)
	case err == nil:
		err = checkReplaceable(target, before)
	}
	if err != nil {
		return err
	}
	return rename(target, before, content)
}

// checkReplaceable returns an error for what is no file, and for a file that this user
// may not write. A rename would replace such a file all the same. The mode counts for
// root too: who made a file read-only does not want it to change.
func checkReplaceable(path string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", path)
	}
	const ownerWrites = 0o200
	if info.Mode().Perm()&ownerWrites == 0 {
		return &fs.PathError{Op: "write", Path: path, Err: syscall.EACCES}
	}
	if err := unix.Access(path, unix.W_OK); err != nil {
		return &fs.PathError{Op: "write", Path: path, Err: err}
	}
	return nil
}

func rename(target string, before fs.FileInfo, content []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(target), "."+filepath.Base(target)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if before != nil {
		if stat, ok := before.Sys().(*syscall.Stat_t); ok {
			_ = f.Chown(int(stat.Uid), int(stat.Gid)) // only root may, and only for root is the owner another one
		}
		err = f.Chmod(before.Mode().Perm())
	}
	if err == nil {
		_, err = f.Write(content)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), target)
}
