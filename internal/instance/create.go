package instance

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

// Exists reports whether the instance's directories were created.
func (i Instance) Exists() bool {
	_, err := os.Stat(filepath.Join(i.Dir, filename.Owner))
	return err == nil
}

// Create creates the instance's directories, readable by this user only. It may be
// called again at any time. It refuses directories of another user or instance, and
// does not create directories in the home of another user.
func (i Instance) Create() error {
	dirs := []string{i.Dir, i.LogDir, i.ShortDir, i.LimaHome, i.TLSDir, i.DataDir}
	for _, dir := range dirs {
		if err := checkHome(dir, os.Getuid()); err != nil {
			return err
		}
	}
	for _, dir := range dirs {
		if err := i.ensureDir(dir); err != nil {
			return fmt.Errorf("create directory %s: %w", dir, err)
		}
	}
	if err := i.checkOwner(); err != nil {
		return err
	}
	for dir, owner := range i.owners() {
		file := filepath.Join(dir, filename.Owner)
		if text, err := os.ReadFile(file); err == nil && strings.TrimSpace(string(text)) == owner {
			continue
		}
		if err := ReplaceFile(file, []byte(owner+"\n")); err != nil {
			return fmt.Errorf("write the owner file of directory %s: %w", dir, err)
		}
	}
	return nil
}

// CreateDir creates Dir alone, for the lock of an instance whose directories are missing.
func (i Instance) CreateDir() error {
	if err := checkHome(i.Dir, os.Getuid()); err != nil {
		return err
	}
	if err := i.ensureDir(i.Dir); err != nil {
		return fmt.Errorf("create directory %s: %w", i.Dir, err)
	}
	return nil
}

// ReleaseDir releases the lock in a directory from CreateDir, and removes the directory
// unless it has got other files.
func (i Instance) ReleaseDir(lock *PidLock) error {
	if i.LoadRun(os.Getpid()).Doing != "" {
		_ = os.Remove(i.runFile()) // keeps the directory
	}
	err := lock.Release()
	_ = os.Remove(i.Dir) // has other files
	return err
}

// unsafe returns the rights that a shared directory must not have. Other users get no
// rights for keys and data, and must not write to the directories above them. Logs may
// have any mode, because their files are private.
func (i Instance) unsafe(dir string) fs.FileMode {
	switch dir {
	case i.TLSDir, i.DataDir, i.LimaHome:
		return 0o077
	case i.Dir, i.ShortDir:
		return 0o022
	}
	return 0
}

// owners returns the text of each directory's owner file.
func (i Instance) owners() map[string]string {
	return map[string]string{i.Dir: i.Name, i.ShortDir: i.Dir}
}

// checkOwner returns an error if Dir belongs to an instance of another name, which may
// happen on a file system that ignores case. It also returns one if ShortDir belongs to
// an existing instance in another Dir, which may happen with another XDG_DATA_HOME.
func (i Instance) checkOwner() error {
	for dir, owner := range i.owners() {
		text, err := os.ReadFile(filepath.Join(dir, filename.Owner))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read the owner file of directory %s: %w", dir, err)
		}
		found := strings.TrimSpace(string(text))
		if found == owner || found == "" {
			continue
		}
		if dir == i.ShortDir {
			if _, err := os.Stat(filepath.Join(found, filename.Owner)); errors.Is(err, fs.ErrNotExist) {
				continue
			}
		}
		return fmt.Errorf("directory %s belongs to instance %q: choose another name with --instance or %s", dir, found, EnvName)
	}
	return nil
}

// checkHome refuses to create a directory in a directory of another user, who could
// neither use nor remove it. This happens to root with 'sudo -E', which keeps HOME.
// Directories of root, such as /tmp, are accepted.
func checkHome(dir string, uid int) error {
	for {
		info, err := os.Stat(dir)
		if errors.Is(err, fs.ErrNotExist) && filepath.Dir(dir) != dir {
			dir = filepath.Dir(dir)
			continue
		}
		if err != nil {
			return nil //nolint:nilerr // creating the directory reports the cause
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok || int(stat.Uid) == uid || stat.Uid == 0 {
			return nil
		}
		owner, self := userName(int(stat.Uid)), userName(uid)
		return fmt.Errorf("create the instance's files as user %s: %s belongs to user %s: run rdd as %[3]s, or set HOME (and XDG_DATA_HOME and XDG_STATE_HOME, if they are set) to directories of %[1]s", self, dir, owner)
	}
}

// CheckHome refuses to create a directory in a directory of another user.
func CheckHome(dir string) error { return checkHome(dir, os.Getuid()) }

// userName returns the name of a user, or the ID of a user without a name.
func userName(uid int) string {
	if found, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return found.Username
	}
	return strconv.Itoa(uid)
}

// ensureDir creates dir, readable by this user only. If dir exists it removes the rights
// of other users, except from a shared directory: a link, or a directory below a linked
// one of the instance. Other users may use that one, so its mode stays, and ensureDir
// refuses it if the mode is unsafe.
func (i Instance) ensureDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	// Lstat, because another user may have created a link in /tmp.
	info, err := os.Lstat(dir)
	if err == nil {
		err = checkUser(info)
	}
	if err != nil {
		return err
	}
	switch {
	case isLink(info), i.isBelowLink(dir):
		return checkShared(dir, i.unsafe(dir))
	case info.Mode().Perm()&0o077 != 0:
		return os.Chmod(dir, 0o700)
	}
	return nil
}

// isBelowLink reports whether dir is in another directory of the instance that is a
// link.
func (i Instance) isBelowLink(dir string) bool {
	parent := filepath.Dir(dir)
	if parent != i.Dir && parent != i.ShortDir && (dir != i.LogDir || !i.hasStateDir()) {
		return false
	}
	info, err := os.Lstat(parent)
	return err == nil && isLink(info)
}

func isLink(info fs.FileInfo) bool { return info.Mode()&fs.ModeSymlink != 0 }

// checkShared returns an error if a shared directory belongs to another user, or if its
// mode has one of the unsafe rights.
func checkShared(dir string, unsafe fs.FileMode) error {
	target, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	info, err := os.Stat(target)
	if err == nil {
		err = checkUser(info)
	}
	if err == nil && info.Mode().Perm()&unsafe != 0 {
		err = fmt.Errorf("mode %o gives other users access to rdd's files: run 'chmod 700 %s' if no other user needs the directory, or link to a directory of mode 0700", info.Mode().Perm(), target)
	}
	if err != nil {
		return fmt.Errorf("use link target %s: %w", target, err)
	}
	return nil
}
