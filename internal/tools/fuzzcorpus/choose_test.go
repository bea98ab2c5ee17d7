package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func covering(names ...string) blocks {
	b := blocks{}
	for _, name := range names {
		b[name] = struct{}{}
	}
	return b
}

func TestChooseKeepsCoverageWithFewest(t *testing.T) {
	candidates := []candidate{
		{"a", 9, covering("1", "2")}, {"b", 5, covering("1", "2", "3")}, {"c", 1, covering("3")},
		{"d", 7, covering("4")}, {"e", 2, covering("4")}, {"f", 1, covering("0")},
	}
	if got := choose(candidates, covering("0"), 9); !slices.Equal(got, []string{"b", "e"}) {
		t.Errorf("chose %q", got)
	}
	if got := choose(candidates, nil, 1); !slices.Equal(got, []string{"b"}) {
		t.Errorf("chose %q of at most one", got)
	}
}

func TestReadProfileSkipsWhatDidNotRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "profile")
	if err := os.WriteFile(path, []byte("mode: set\na.go:1.2,3.4 2 1\na.go:5.2,6.4 1 0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := readProfile(path); err != nil || len(got) != 1 || countNew(got, covering("a.go:1.2,3.4")) != 0 {
		t.Errorf("read %v, %v", got, err)
	}
}

func TestMirrorLinksAllButInputs(t *testing.T) {
	root := t.TempDir()
	for _, path := range []string{"x/y/a.go", "x/b", "x/y/testdata/fuzz/FuzzA/1", "x/y/testdata/c"} {
		if err := copyFile(os.DevNull, filepath.Join(root, path)); err != nil {
			t.Fatal(err)
		}
	}
	dir, err := mirror(root, filepath.Join("x", "y", "testdata", "fuzz"), filepath.Join(t.TempDir(), "tree"))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{"a.go": true, "../b": true, "testdata/c": true, "testdata/fuzz": true, "testdata/fuzz/FuzzA": false} {
		if _, err := os.Stat(filepath.Join(dir, path)); (err == nil) != want {
			t.Errorf("%s: %v", path, err)
		}
	}
}
