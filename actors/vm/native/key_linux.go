package native

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// keyFile returns the path of dockerd's key.
func (d *Driver) keyFile() string {
	if !rootless() {
		return "/etc/docker/key.json"
	}
	config := d.getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(config) {
		config = filepath.Join(d.getenv("HOME"), ".config")
	}
	return filepath.Join(config, "docker", "key.json")
}

// missingKey returns a record of the key and its directories that are missing
// before a start. It returns nil if the key exists.
func missingKey(path string) *keyRecord {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	key := &keyRecord{Path: path}
	for dir := filepath.Dir(path); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		key.Dirs = append(key.Dirs, dir)
	}
	return key
}

// recordKey records a key that was missing before the start.
func (d *Driver) recordKey(key *keyRecord) {
	if key == nil || !key.identify() {
		return
	}
	s := load(d.paths.state)
	s.Key = key
	if err := s.save(d.paths.state); err != nil {
		d.log.Warn("cannot record the key that the engine made", "key", key.Path, "error", err)
	}
}

// identify records which file is at the path, and reports whether this user owns
// it.
func (k *keyRecord) identify() bool {
	info, err := os.Lstat(k.Path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(stat.Uid) != os.Geteuid() {
		return false
	}
	k.Inode, k.Modified = stat.Ino, info.ModTime().UnixNano()
	return true
}

// remove removes the key if it is still the file that the engine made, and the
// directories that were made for it if they are empty.
func (k *keyRecord) remove() error {
	now := keyRecord{Path: k.Path}
	if !now.identify() || now.Inode != k.Inode || now.Modified != k.Modified {
		return nil
	}
	if err := removeFile(k.Path); err != nil {
		return fmt.Errorf("remove the key of the engine: %w", err)
	}
	for _, dir := range k.Dirs {
		_ = os.Remove(dir) // fails if it has files of the user
	}
	return nil
}
