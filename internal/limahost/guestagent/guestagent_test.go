package guestagent

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
)

func TestWriteUnpacksOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	old, err := write(carrying(t, "lima-guestagent-v1", "one"), dir)
	if err != nil {
		t.Fatal(err)
	}
	path, err := write(carrying(t, "lima-guestagent-v2", "two"), dir)
	if err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "two" {
		t.Errorf("%s has %q, %v", path, content, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("mode of %s: %v, %v", path, info.Mode(), err)
	}
	if _, err := os.Stat(old); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the old version is still there: %v", err)
	}
	before, _ := os.Stat(path)
	if _, err := write(carrying(t, "lima-guestagent-v2", "two"), dir); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.Stat(path); !os.SameFile(before, after) {
		t.Error("an existing agent was written again")
	}
}

func TestWriteBrokenAgentLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	broken := fstest.MapFS{"embedded/amd64/lima-guestagent-v1.gz": {Data: []byte("no gzip")}}
	if _, err := write(broken, dir); err == nil {
		t.Error("no error for an archive that cannot be read")
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestWriteFailsWithoutAgent(t *testing.T) {
	none := fstest.MapFS{"embedded/amd64/README": {}}
	if _, err := write(none, t.TempDir()); !errors.Is(err, ErrNotBuiltIn) {
		t.Errorf("error = %v", err)
	}
}

func carrying(t *testing.T, name, content string) fstest.MapFS {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{"embedded/amd64/" + name + ".gz": {Data: packed.Bytes()}}
}
