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
// content or the new one, also after a power cut. It follows links, and keeps the mode.
// A new file has mode 0600, and its missing directories 0700. Replace returns an error
// for a file of another user, and one that wraps fs.ErrPermission for a file that its
// mode protects against this user's writes.
func Replace(path string, content []byte) error {
	return replace(path, content, func() error { return nil })
}

// replace calls check at the last moment, and replaces the file unless check fails.
func replace(path string, content []byte, check func() error) error {
	target := filetree.Resolve(path)
	if err := CheckOwner(target); err != nil {
		return err
	}
	mode := fs.FileMode(0o600)
	before, err := os.Lstat(target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = os.MkdirAll(filepath.Dir(target), 0o700)
	case err == nil:
		mode, err = before.Mode().Perm(), checkReplaceable(target, before)
	}
	if err != nil {
		return err
	}
	return rename(target, mode, content, check)
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

// rename writes content to a temporary file beside target, and renames it.
func rename(target string, mode fs.FileMode, content []byte, check func() error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(target), "."+filepath.Base(target)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err = f.Chmod(mode); err == nil {
		_, err = f.Write(content)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := check(); err != nil {
		return err
	}
	return os.Rename(f.Name(), target)
}
