package userfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

func write(t *testing.T, path, text string, mode fs.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
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

func TestReplaceKeepsModeAndLinks(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(dir string)
		file    string // where the content is found
		mode    fs.FileMode
		links   []string // what is a link afterwards
	}{
		"Missing":  {prepare: func(string) {}, file: "a/config.json", mode: 0o600},
		"Existing": {prepare: func(dir string) { write(t, dir+"/a/config.json", "old", 0o640) }, file: "a/config.json", mode: 0o640},
		"Link": {prepare: func(dir string) {
			write(t, dir+"/dotfiles/docker.json", "old", 0o644)
			link(t, "../dotfiles/docker.json", dir+"/a/config.json")
		}, file: "dotfiles/docker.json", mode: 0o644, links: []string{"a/config.json"}},
		"LinkToLink": {prepare: func(dir string) {
			write(t, dir+"/x/two", "old", 0o600)
			link(t, dir+"/x/two", dir+"/x/one")
			link(t, dir+"/x/one", dir+"/a/config.json")
		}, file: "x/two", mode: 0o600, links: []string{"a/config.json", "x/one"}},
		"DanglingLink": {prepare: func(dir string) { link(t, "../new/file", dir+"/a/config.json") },
			file: "new/file", mode: 0o600, links: []string{"a/config.json"}},
		"LinkedDirectory": {prepare: func(dir string) {
			write(t, dir+"/dotfiles/config.json", "old", 0o600)
			link(t, "dotfiles", dir+"/a")
		}, file: "dotfiles/config.json", mode: 0o600, links: []string{"a"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c.prepare(dir)
			if err := Replace(filepath.Join(dir, "a", "config.json"), []byte("new")); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, c.file)
			text, err := os.ReadFile(file)
			if err != nil || string(text) != "new" {
				t.Errorf("%q, %v", text, err)
			}
			if info, err := os.Lstat(file); err != nil || info.Mode() != c.mode {
				t.Errorf("%v, %v, want %v", info.Mode(), err, c.mode)
			}
			for _, path := range c.links {
				if info, err := os.Lstat(filepath.Join(dir, path)); err != nil || info.Mode()&fs.ModeSymlink == 0 {
					t.Errorf("%s is no link any more: %v", path, err)
				}
			}
			if entries, err := os.ReadDir(filepath.Dir(file)); err != nil || len(entries) > 2 {
				t.Errorf("files are left: %v, %v", entries, err)
			}
		})
	}
}

func TestReplaceRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(path string)
		want    error
	}{
		"ReadOnlyFile": {func(path string) { write(t, path, "old", 0o444) }, fs.ErrPermission},
		"Directory":    {func(path string) { write(t, path+"/x", "old", 0o600) }, nil},
		"CircularLink": {func(path string) { link(t, path, path) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "config.json")
			c.prepare(path)
			err := Replace(path, []byte("new"))
			if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("%v, want %v with the path", err, c.want)
			}
			if text, err := os.ReadFile(path); err == nil && string(text) != "old" {
				t.Errorf("the file was changed: %q", text)
			}
		})
	}
}

func TestLockedExcludesOthers(t *testing.T) {
	dir := t.TempDir()
	counter := filepath.Join(dir, "counter")
	write(t, counter, "0", 0o600)
	const workers, rounds = 4, 10
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for range rounds {
				err := Locked(dir, func() error {
					text, err := os.ReadFile(counter)
					if err != nil {
						return err
					}
					number, err := strconv.Atoi(string(text))
					if err != nil {
						return err
					}
					return Replace(counter, fmt.Append(nil, number+1))
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if text, err := os.ReadFile(counter); err != nil || string(text) != strconv.Itoa(workers*rounds) {
		t.Errorf("%s, %v, want %d", text, err, workers*rounds)
	}
}

func TestLockedNeedsDirectory(t *testing.T) {
	err := Locked(filepath.Join(t.TempDir(), "missing"), func() error { return errors.New("was called") })
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
