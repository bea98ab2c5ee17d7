package instance

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

// Place is a directory of the instance. A user may move it to another disk and replace
// it by a link. Its target is shared: it may have other files of the user.
type Place struct {
	path string
	// patterns match the names that rdd creates in the place; see filepath.Match.
	patterns []string
	// root is the directory with the owner file of the place. Without a root the
	// patterns suffice to remove files from a shared place.
	root string
	// owner is the required text of the owner file; empty accepts any text.
	owner string
	// inner is set for a place whose parent directory may be a link too.
	inner bool
}

// isLinked reports whether the place is a link. The link and its target must belong to
// this user, because a link of another user could lead anywhere.
func (p Place) isLinked() (bool, error) {
	info, err := os.Lstat(p.path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return false, nil
	}
	if err == nil && info.Mode()&fs.ModeSymlink == 0 {
		return false, nil
	}
	if err == nil {
		err = checkUser(info)
	}
	if err != nil {
		return false, fmt.Errorf("remove %s: %w", p.path, err)
	}
	target, err := os.Stat(p.path)
	if err == nil {
		err = checkUser(target)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("remove the target of link %s: %w", p.path, err)
	}
	return true, nil
}

// checkUser returns an error if a file belongs to another user.
func checkUser(info fs.FileInfo) error {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) != os.Getuid() {
		return fmt.Errorf("the path belongs to user %d: remove it as that user, and retry", stat.Uid)
	}
	return nil
}

// isShared reports whether the place may have other files of the user: it is a link,
// or its parent directory is one. isLink reports whether the place itself is a link.
func (p Place) isShared() (isLink, shared bool, err error) {
	isLink, err = p.isLinked()
	if err != nil || isLink || !p.inner {
		return isLink, isLink, err
	}
	shared, err = Place{path: filepath.Dir(p.path)}.isLinked()
	return false, shared, err
}

// matches reports whether rdd creates an entry of this name in the place.
func (p Place) matches(name string) bool {
	return slices.ContainsFunc(p.patterns, func(pattern string) bool {
		matches, err := filepath.Match(pattern, name)
		return err == nil && matches
	})
}

// isOwned reports whether the place belongs to the instance according to the owner
// file. A root that is not a link was created by rdd.
func (p Place) isOwned() bool {
	if linked, err := (Place{path: p.root}).isLinked(); p.root == "" || err == nil && !linked {
		return true
	}
	text, err := os.ReadFile(filepath.Join(p.root, filename.Owner))
	return err == nil && (p.owner == "" || strings.TrimSpace(string(text)) == p.owner)
}

// Check returns an error if the place cannot be removed: it has a mount, or it is a
// link of another user.
func (p Place) Check() error {
	_, shared, err := p.isShared()
	if err != nil {
		return err
	}
	if !shared {
		return filetree.CheckUnmounted(p.path)
	}
	if !p.isOwned() {
		return nil
	}
	entries, err := os.ReadDir(p.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the target of link %s: %w", p.path, err)
	}
	target := filetree.Resolve(p.path)
	for _, entry := range entries {
		if !p.matches(entry.Name()) {
			continue
		}
		if err := filetree.CheckUnmounted(filepath.Join(target, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

// Empty removes the place. If it is shared, Empty removes only rdd's files in it.
func (p Place) Empty() error {
	if err := p.Check(); err != nil {
		return err
	}
	_, err := p.remove(false)
	return err
}

// remove removes the place. If it is shared, remove removes only rdd's files in it, and
// with links the link too. left are the paths that then remain at its target.
func (p Place) remove(links bool) (left []string, err error) {
	isLink, shared, err := p.isShared()
	if err != nil {
		return nil, err
	}
	if !shared {
		return nil, filetree.Remove(p.path)
	}
	target, isOwned := filetree.Resolve(p.path), p.isOwned()
	names, err := p.clear(isOwned)
	if err != nil || !links {
		return nil, err
	}
	for _, name := range names {
		left = append(left, filepath.Join(target, name))
	}
	switch {
	case isLink:
		if len(names) == 0 && target != p.path {
			left = append(left, target)
		}
		return left, os.Remove(p.path)
	case isOwned && len(names) == 0:
		return nil, filetree.Remove(p.path)
	}
	return left, nil
}

// clear removes rdd's files from a shared place and returns the names that remain.
func (p Place) clear(isOwned bool) (left []string, err error) {
	left, err = filetree.Clear(p.path, func(name string) bool {
		return isOwned && name != filename.Owner && p.matches(name)
	})
	if err != nil || !slices.Contains(left, filename.Owner) {
		return left, err
	}
	// The owner file is removed last, so that a failed removal can be repeated.
	return filetree.Clear(p.path, func(name string) bool {
		return isOwned && name == filename.Owner && p.matches(name)
	})
}
