package filetree

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// write creates files and their directories. A name that ends in "/" is a directory.
func write(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		path := filepath.Join(dir, name)
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(path, 0o700); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

// snapshot lists everything below dir, with the content of the files.
func snapshot(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			all = append(all, path)
			return err
		}
		text, err := os.ReadFile(path)
		all = append(all, path+"="+string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func absent(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s still exists: %v", path, err)
	}
}

// Row F2: links at each level of a tree are not followed.
func TestRemoveFollowsNoLink(t *testing.T) {
	for name, at := range map[string]string{
		"at the tree itself": "tree",
		"in the tree":        "tree/link",
		"deep in the tree":   "tree/a/b/c/link",
		"above the tree":     "above",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			outside := filepath.Join(dir, "outside")
			write(t, outside, "precious", "d/precious")
			target := filepath.Join(dir, "tree")
			if at == "above" {
				write(t, filepath.Join(dir, "real"), "tree/x")
				link(t, filepath.Join(dir, "real"), filepath.Join(dir, at))
				target = filepath.Join(dir, at, "tree")
			} else {
				link(t, outside, filepath.Join(dir, at))
			}
			before := snapshot(t, outside)
			if err := Remove(target); err != nil {
				t.Fatal(err)
			}
			absent(t, target)
			if after := snapshot(t, outside); !slices.Equal(before, after) {
				t.Errorf("the files outside were %q and are %q", before, after)
			}
		})
	}
}

func TestRemoveAllFileTypes(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "tree/a/b/c", "tree/empty/", "tree/a b\\c", "file")
	link(t, "nowhere", filepath.Join(dir, "tree/dangling"))
	link(t, ".", filepath.Join(dir, "tree/loop"))
	for _, name := range []string{"tree", "file", "none", "none/below", "file/below"} {
		if err := Remove(filepath.Join(dir, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		absent(t, filepath.Join(dir, "tree"))
	}
}

func TestRemoveDeepTree(t *testing.T) {
	dir := t.TempDir()
	const depth = 1500
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	for range depth {
		if err := root.Mkdir("d", 0o700); err != nil {
			t.Fatal(err)
		}
		next, err := root.OpenRoot("d")
		if err != nil {
			t.Fatal(err)
		}
		_ = root.Close()
		root = next
	}
	_ = root.Close()
	if err := Remove(filepath.Join(dir, "d")); err != nil {
		t.Error(err)
	}
	absent(t, filepath.Join(dir, "d"))
}

func TestRemoveContinuesAfterFailure(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may remove everything")
	}
	dir := t.TempDir()
	write(t, dir, "tree/a", "tree/locked/x", "tree/z")
	locked := filepath.Join(dir, "tree/locked")
	if err := os.Chmod(locked, 0o500); err != nil {
		t.Fatal(err)
	}
	if err := Remove(filepath.Join(dir, "tree")); err == nil || !strings.Contains(err.Error(), locked) {
		t.Errorf("error = %v", err)
	}
	absent(t, filepath.Join(dir, "tree/a"))
	absent(t, filepath.Join(dir, "tree/z"))
	if err := os.Chmod(locked, 0o700); err != nil {
		t.Fatal(err)
	}
}

func TestClearKeepsLinkAndUnmatched(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "disk/engine/x", "disk/photos/y", "disk/state.db", "outside/precious")
	link(t, filepath.Join(dir, "outside"), filepath.Join(dir, "disk/engine/link"))
	link(t, filepath.Join(dir, "disk"), filepath.Join(dir, "data"))
	before := snapshot(t, filepath.Join(dir, "outside"))
	left, err := Clear(filepath.Join(dir, "data"), func(name string) bool { return name != "photos" })
	if err != nil || !slices.Equal(left, []string{"photos"}) {
		t.Errorf("left %q, %v", left, err)
	}
	if now := snapshot(t, filepath.Join(dir, "disk")); len(now) != 3 {
		t.Errorf("disk has %q", now)
	}
	if _, err := os.Readlink(filepath.Join(dir, "data")); err != nil {
		t.Error(err)
	}
	if after := snapshot(t, filepath.Join(dir, "outside")); !slices.Equal(before, after) {
		t.Errorf("the files outside were %q and are %q", before, after)
	}
}

// Row F2: a directory is replaced by a link to the outside during its removal.
func TestRemoveFollowsNoReplacedDirectory(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(dir, "outside")
	for i := range 50 {
		write(t, outside, "d/precious"+strconv.Itoa(i))
	}
	before := snapshot(t, outside)
	tree := filepath.Join(dir, "tree")
	stop := make(chan struct{})
	var exchanges sync.WaitGroup
	for i := range 2 {
		exchanges.Go(func() {
			sub, aside := filepath.Join(tree, "sub"+strconv.Itoa(i)), filepath.Join(tree, "aside"+strconv.Itoa(i))
			for {
				select {
				case <-stop:
					return
				default:
				}
				_ = os.Rename(sub, aside)
				_ = os.Symlink(filepath.Join(outside, "d"), sub)
				_ = os.Remove(sub)
				_ = os.Rename(aside, sub)
			}
		})
	}
	for range 40 {
		for i := range 20 {
			_ = os.MkdirAll(filepath.Join(tree, "sub0", "d", strconv.Itoa(i)), 0o700)
			_ = os.MkdirAll(filepath.Join(tree, "sub1", strconv.Itoa(i)), 0o700)
		}
		_ = Remove(tree) // it may leave files that the other goroutines create meanwhile
	}
	close(stop)
	exchanges.Wait()
	if err := Remove(tree); err != nil {
		t.Error(err)
	}
	absent(t, tree)
	// The loop above creates directories through the link too.
	after := snapshot(t, outside)
	for _, entry := range before {
		if !slices.Contains(after, entry) {
			t.Errorf("%s was removed", entry)
		}
	}
}

// Row F2: an entry that was a directory before, and is a link when it is opened, is
// not followed.
func TestRemoverOpensNoLink(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "outside/precious")
	link(t, "outside", filepath.Join(dir, "tree"))
	parent, err := openDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer parent.Close()
	mount, err := mountOf(parent)
	if err != nil {
		t.Fatal(err)
	}
	if retry, err := (remover{mount}).directory(parent, "tree"); !retry || err != nil {
		t.Errorf("retry %v, %v", retry, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "outside", "precious")); err != nil {
		t.Error(err)
	}
}
