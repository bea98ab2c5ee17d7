package instance

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

// The prefixes of the names of Dir and ShortDir.
const (
	dirPrefix   = "rancher-desktop-"
	shortPrefix = ".rd"
)

// List returns the user's instances, sorted by name. It finds an instance by the owner
// file in Dir, or in ShortDir if the user removed Dir. Directories of other users do not
// count.
func List() ([]Instance, error) {
	env, err := environment()
	if err != nil {
		return nil, err
	}
	found := map[string]Instance{}
	add := func(name string, isAt func(Instance) bool) {
		if i, err := build(name, env); err == nil && isAt(i) {
			found[name] = i
		}
	}
	dir, _ := env.bigDirs("")
	dirs, err := owned(filepath.Dir(dir), dirPrefix)
	if err != nil {
		return nil, err
	}
	for path, name := range dirs {
		add(name, func(i Instance) bool { return i.Dir == path })
	}
	// The name in the path of Dir is encoded on some systems; then it does not lead to
	// the same directories, and is left out.
	shorts, err := owned(env.home, shortPrefix)
	if err != nil {
		return nil, err
	}
	for path, dir := range shorts {
		name, _ := strings.CutPrefix(filepath.Base(dir), dirPrefix)
		add(name, func(i Instance) bool { return i.ShortDir == path && i.Dir == dir })
	}
	var list []Instance
	for _, i := range found {
		list = append(list, i)
	}
	slices.SortFunc(list, func(a, b Instance) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// PrivateDirs returns the directories of the user's instances. Tokens and keys in them let
// their reader control rdd, and so this machine.
func PrivateDirs() ([]string, error) {
	list, err := List()
	var dirs []string
	for _, i := range list {
		// A user may have replaced an inner directory by a link.
		dirs = append(dirs, i.Dir, i.ShortDir, i.LogDir, i.TLSDir, i.DataDir, i.LimaHome)
	}
	return dirs, err
}

// DirPrefixes returns what the names of Dir and ShortDir of all instances begin with.
func DirPrefixes() []string { return []string{dirPrefix, shortPrefix} }

// owned returns the directories of this user in parent whose names have the prefix,
// with the text of their owner files.
func owned(parent, prefix string) (map[string]string, error) {
	entries, err := os.ReadDir(parent)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list the instances: %w", err)
	}
	dirs := map[string]string{}
	for _, entry := range entries {
		path := filepath.Join(parent, entry.Name())
		if !strings.HasPrefix(entry.Name(), prefix) {
			continue
		}
		if text, ok := ownerOf(path); ok {
			dirs[path] = text
		}
	}
	return dirs, nil
}

// ownerOf returns the text of the owner file in a directory of this user.
func ownerOf(dir string) (text string, ok bool) {
	path := filepath.Join(dir, filename.Owner)
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || checkUser(info) != nil || info.Size() > 1<<16 {
		return "", false
	}
	content, err := os.ReadFile(path)
	return strings.TrimSpace(string(content)), err == nil
}

// HasFiles reports whether any directory of the instance exists: a removal that was
// interrupted, or a user, may have left some. A ShortDir counts if its owner file names
// Dir, because other programs have directories with such names.
func (i Instance) HasFiles() bool {
	dirs := []string{i.Dir, i.LogDir}
	if i.hasStateDir() {
		dirs = append(dirs, filepath.Dir(i.LogDir))
	}
	for _, dir := range dirs {
		if _, err := os.Lstat(dir); err == nil {
			return true
		}
	}
	owner, ok := ownerOf(i.ShortDir)
	return ok && owner == i.Dir
}
