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
)

// ownerFile is in Dir and in ShortDir and says whose they are.
const ownerFile = "instance"

// Exists says whether the instance's directories were created.
func (i Instance) Exists() bool {
	_, err := os.Stat(filepath.Join(i.Dir, ownerFile))
	return err == nil
}

// Create makes the instance's directories, readable by this user only. It may
// be called again at any time. It refuses directories that are another user's
// or another instance's, and to make new ones in the home of another user.
func (i Instance) Create() error {
	dirs := []string{i.Dir, i.LogDir, i.ShortDir, i.LimaHome, i.TLSDir, i.DataDir}
	for _, dir := range dirs {
		if err := checkHome(dir, os.Getuid()); err != nil {
			return err
		}
	}
	for _, dir := range dirs {
		if err := makePrivate(dir); err != nil {
			return fmt.Errorf("create directory %s: %w", dir, err)
		}
		if err := checkTarget(dir, i.unsafe(dir)); err != nil {
			return fmt.Errorf("create directory %s: %w", dir, err)
		}
	}
	if err := i.checkOwner(); err != nil {
		return err
	}
	for dir, owner := range i.owners() {
		file := filepath.Join(dir, ownerFile)
		if text, err := os.ReadFile(file); err == nil && strings.TrimSpace(string(text)) == owner {
			continue
		}
		if err := ReplaceFile(file, []byte(owner+"\n")); err != nil {
			return fmt.Errorf("mark directory %s as the instance's: %w", dir, err)
		}
	}
	return nil
}

// unsafe returns the rights that a directory behind a link must not have: none for
// others where keys and data are, no writing where those directories are, and any
// for logs, whose files are private themselves.
func (i Instance) unsafe(dir string) fs.FileMode {
	switch dir {
	case i.TLSDir, i.DataDir, i.LimaHome:
		return 0o077
	case i.Dir, i.ShortDir:
		return 0o022
	}
	return 0
}

// owners says what the owner file of each directory holds.
func (i Instance) owners() map[string]string {
	return map[string]string{i.Dir: i.Name, i.ShortDir: i.Dir}
}

// checkOwner fails when Dir belongs to an instance of another name, which a file
// system that ignores case makes possible, or when ShortDir belongs to an
// instance in another directory that is still there, which another
// XDG_DATA_HOME makes possible.
func (i Instance) checkOwner() error {
	for dir, owner := range i.owners() {
		text, err := os.ReadFile(filepath.Join(dir, ownerFile))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read whose directory %s is: %w", dir, err)
		}
		found := strings.TrimSpace(string(text))
		if found == owner || found == "" {
			continue
		}
		if dir == i.ShortDir {
			if _, err := os.Stat(filepath.Join(found, ownerFile)); errors.Is(err, fs.ErrNotExist) {
				continue
			}
		}
		return fmt.Errorf("directory %s belongs to instance %q; choose another name with --instance or %s", dir, found, EnvName)
	}
	return nil
}

// checkHome refuses a directory that would be made in a directory of another user,
// such as by root in the home that 'sudo -E' keeps: that user could neither use nor
// remove it. Root's directories, such as /tmp, may be used by everybody.
func checkHome(dir string, uid int) error {
	for {
		info, err := os.Stat(dir)
		if errors.Is(err, fs.ErrNotExist) && filepath.Dir(dir) != dir {
			dir = filepath.Dir(dir)
			continue
		}
		if err != nil {
			return nil //nolint:nilerr // Making the directory says what is wrong.
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok || int(stat.Uid) == uid || stat.Uid == 0 {
			return nil
		}
		owner, self := userName(int(stat.Uid)), userName(uid)
		return fmt.Errorf("create the instance's files as user %s: %s belongs to user %s: run rdd as %[3]s, or set HOME (and XDG_DATA_HOME and XDG_STATE_HOME, if they are set) to directories of %[1]s", self, dir, owner)
	}
}

// userName returns the name of a user, or the number of one without a name.
func userName(uid int) string {
	if found, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return found.Username
	}
	return strconv.Itoa(uid)
}

// makePrivate makes a directory of mode 0700 and its parents, or takes group's
// and others' rights from one that is there.
func makePrivate(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	// Lstat, because in /tmp another user may have put a link there.
	info, err := os.Lstat(dir)
	if err == nil {
		err = ownedByUser(info)
	}
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink == 0 && info.Mode().Perm()&0o077 != 0 {
		return os.Chmod(dir, 0o700)
	}
	return nil
}

// checkTarget checks what dir leads to if it is a link. The target may hold other
// files that others use, so its mode is left as it is; unsafe are the rights that it
// must not have.
func checkTarget(dir string, unsafe fs.FileMode) error {
	link, err := os.Lstat(dir)
	if err != nil || link.Mode()&fs.ModeSymlink == 0 {
		return err
	}
	target, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	info, err := os.Stat(target)
	if err == nil {
		err = ownedByUser(info)
	}
	if err == nil && info.Mode().Perm()&unsafe != 0 {
		err = fmt.Errorf("its mode %o lets other users at rdd's files: if nobody else needs it, run 'chmod 700 %s'; else let the link lead to a directory of mode 0700", info.Mode().Perm(), target)
	}
	if err != nil {
		return fmt.Errorf("use %s, to which the link leads: %w", target, err)
	}
	return nil
}

func ownedByUser(info fs.FileInfo) error {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) != os.Getuid() {
		return fmt.Errorf("it belongs to the user with id %d", stat.Uid)
	}
	return nil
}
