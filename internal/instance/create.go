package instance

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
// or another instance's.
func (i Instance) Create() error {
	for _, dir := range []string{i.Dir, i.LogDir, i.ShortDir, i.LimaHome, i.TLSDir, i.DataDir} {
		if err := makePrivate(dir); err != nil {
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

// makePrivate makes a directory of mode 0700 and its parents, or takes group's
// and others' rights from one that is there.
func makePrivate(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	// Lstat, because in /tmp another user may have put a link there.
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) != os.Getuid() {
		return fmt.Errorf("it belongs to the user with id %d", stat.Uid)
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		// One's own link to another disk is fine; what it points to is checked too.
		target, err := filepath.EvalSymlinks(dir)
		if err != nil {
			return err
		}
		return makePrivate(target)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return os.Chmod(dir, 0o700)
	}
	return nil
}
