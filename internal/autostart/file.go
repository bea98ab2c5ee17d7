package autostart

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

// file is a file below a directory of the user, such as ~/.config. The directory can be
// a link. What is below it is reached through no link, and across no mount.
type file struct {
	base string
	// below is the path below base.
	below string
	uid   int
}

func (f file) path() string { return filepath.Join(f.base, f.below) }

// beside returns another file of the same directory, or of one below it.
func (f file) beside(name string) file {
	f.below = filepath.Join(filepath.Dir(f.below), name)
	return f
}

// check returns an error if a directory between base and the file is a link or a mount,
// or belongs to another user.
func (f file) check() error {
	dirs := strings.Split(filepath.Dir(f.below), string(filepath.Separator))
	for i := range dirs {
		dir := filepath.Join(f.base, filepath.Join(dirs[:i+1]...))
		info, err := os.Lstat(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case info.Mode()&fs.ModeSymlink != 0:
			return fmt.Errorf("%s is a link, and rdd writes and removes nothing that it reaches through a link: replace it by a directory", dir)
		case !f.isMine(info):
			return fmt.Errorf("%s belongs to another user", dir)
		}
	}
	base := filetree.Resolve(f.base)
	mounts, err := filetree.MountsBelow(base)
	if err != nil {
		return err
	}
	for _, m := range mounts {
		if m.Point != base && filetree.IsBelow(filepath.Join(base, f.below), m.Point) {
			return fmt.Errorf("%s is a mount, and rdd writes and removes nothing across a mount: unmount it, and repeat the command", m.Point)
		}
	}
	return nil
}

func (f file) isMine(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == f.uid
}

// read returns the content. An error says why the file cannot be one of rdd's.
func (f file) read() (content string, found bool, err error) {
	if err := f.check(); err != nil {
		return "", false, err
	}
	opened, err := os.OpenFile(f.path(), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", false, nil
	case errors.Is(err, syscall.ELOOP):
		target, _ := os.Readlink(f.path())
		if target == os.DevNull {
			return "", true, fmt.Errorf("the unit is masked: run 'systemctl --user unmask %s', and repeat the command", filepath.Base(f.path()))
		}
		return "", true, fmt.Errorf("%s is a link to %s: remove it, and repeat the command", f.path(), target)
	case err != nil:
		return "", false, err
	}
	defer opened.Close()
	info, err := opened.Stat()
	if err != nil {
		return "", true, err
	}
	if !info.Mode().IsRegular() || !f.isMine(info) {
		return "", true, fmt.Errorf("%s is not a regular file of this user: remove it, and repeat the command", f.path())
	}
	const enough = 64 << 10
	text, err := io.ReadAll(io.LimitReader(opened, enough))
	return string(text), true, err
}

// write replaces the content, atomically, and creates missing directories.
func (f file) write(content string) error {
	if err := f.makeDir(); err != nil {
		return err
	}
	return instance.ReplaceFile(f.path(), []byte(content))
}

// makeDir creates the directories of the file.
func (f file) makeDir() error {
	if err := f.check(); err != nil {
		return err
	}
	if err := instance.CheckHome(filepath.Dir(f.path())); err != nil {
		return err
	}
	return os.MkdirAll(filepath.Dir(f.path()), 0o700)
}

// remove removes the file. The caller has read it.
func (f file) remove() error {
	if err := f.check(); err != nil {
		return err
	}
	return filetree.Remove(f.path())
}

// linksTo reports whether the file is a link to a path.
func (f file) linksTo(path string) bool {
	if f.check() != nil {
		return false
	}
	target, err := os.Readlink(f.path())
	if err != nil {
		return false
	}
	if !filepath.IsAbs(target) {
		target = filepath.Join(filepath.Dir(f.path()), target)
	}
	return target == path || filetree.Resolve(target) == filetree.Resolve(path)
}

// link makes the file a link to a path. It replaces nothing.
func (f file) link(path string) error {
	if f.linksTo(path) {
		return nil
	}
	if err := f.makeDir(); err != nil {
		return err
	}
	err := os.Symlink(path, f.path())
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists, and is not a link to %s: remove it, and retry", f.path(), path)
	}
	return err
}
