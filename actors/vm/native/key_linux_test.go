package native

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestKeyRemoveRemovesOnlyEngineKey(t *testing.T) {
	for name, test := range map[string]struct {
		before, after func(t *testing.T, path string)
		left          string // relative to the directory above
	}{
		"made by the engine": {left: "."},
		"in a directory of the user's": {
			before: func(t *testing.T, path string) { makeFile(t, filepath.Join(filepath.Dir(path), "daemon.json"), "") },
			left:   "config/docker/daemon.json",
		},
		"beside what the user put there": {
			after: func(t *testing.T, path string) { makeFile(t, filepath.Join(filepath.Dir(path), "daemon.json"), "") },
			left:  "config/docker/daemon.json",
		},
		"there before": {
			before: func(t *testing.T, path string) { makeFile(t, path, "the user's") },
			left:   "config/docker/key.json",
		},
		"replaced since": {
			after: func(t *testing.T, path string) {
				makeFile(t, path+".new", "another")
				if err := errors.Join(os.Chtimes(path+".new", time.Time{}, time.Unix(1, 0)), os.Rename(path+".new", path)); err != nil {
					t.Fatal(err)
				}
			},
			left: "config/docker/key.json",
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "config", "docker", "key.json")
			if test.before != nil {
				test.before(t, path)
			}
			key := missingKey(path)
			makeFile(t, path, "the engine's")
			d := New(Config{Dir: filepath.Join(dir, "instance"), Socket: filepath.Join(dir, "s")})
			if err := os.MkdirAll(d.paths.engineDir, 0o700); err != nil {
				t.Fatal(err)
			}
			d.recordKey(key)
			if test.after != nil {
				test.after(t, path)
			}
			if recorded := load(d.paths.state).Key; recorded != nil {
				if err := recorded.remove(); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := os.Lstat(filepath.Join(dir, test.left)); err != nil {
				t.Error(err)
			}
			_, err := os.Lstat(path)
			if want := filepath.Base(test.left) == "key.json"; (err == nil) != want {
				t.Errorf("the key: %v", err)
			}
			if _, err := os.Lstat(filepath.Join(dir, "config")); test.left == "." && err == nil {
				t.Error("the directory that was made for it is left")
			}
		})
	}
}
