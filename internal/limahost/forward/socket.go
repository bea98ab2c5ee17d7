package forward

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
)

// socket is a socket at a path. Another process can replace it there.
type socket struct {
	path string
	file os.FileInfo
}

// listen listens at a path. The socket replaces another one at once, so that a client
// finds one of the two. Only its owner has access to it.
func listen(path string) (net.Listener, socket, error) {
	// The name is not longer than that of the socket, which the kernel limits.
	fresh := filepath.Join(filepath.Dir(path), "."+strconv.Itoa(os.Getpid()))
	_ = os.Remove(fresh)
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: fresh, Net: "unix"})
	if err != nil {
		return nil, socket{}, fmt.Errorf("listen at %s: %w", path, err)
	}
	listener.SetUnlinkOnClose(false) // the path may be of another socket by then
	err = os.Chmod(fresh, 0o600)
	var file os.FileInfo
	if err == nil {
		file, err = os.Lstat(fresh)
	}
	if err == nil {
		err = os.Rename(fresh, path)
	}
	if err != nil {
		return nil, socket{}, errors.Join(fmt.Errorf("create the socket %s: %w", path, err), listener.Close(), os.Remove(fresh))
	}
	return listener, socket{path, file}, nil
}

// exists reports whether the socket is at its path.
func (s socket) exists() bool {
	if s.file == nil {
		return false
	}
	now, err := os.Lstat(s.path)
	return err == nil && os.SameFile(s.file, now)
}

// remove removes the socket, unless another one has replaced it.
func (s socket) remove() {
	if s.exists() {
		_ = os.Remove(s.path)
	}
}
