package filetree

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

// written writes a file of this size and returns its path.
func written(t *testing.T, path string, size int) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestUsageCountsFilesOnce(t *testing.T) {
	const size = 1 << 20
	dir := t.TempDir()
	tree := filepath.Join(dir, "tree")
	one := written(t, filepath.Join(tree, "sub", "one"), size)
	if err := os.Link(one, filepath.Join(tree, "again")); err != nil {
		t.Fatal(err)
	}
	outside := written(t, filepath.Join(dir, "outside", "big"), 4*size)
	if err := os.Symlink(filepath.Dir(outside), filepath.Join(tree, "link")); err != nil {
		t.Fatal(err)
	}
	sparse, err := os.Create(filepath.Join(tree, "sparse"))
	if err != nil {
		t.Fatal(err)
	}
	if err := sparse.Truncate(64 * size); err != nil {
		t.Fatal(err)
	}
	sparse.Close()
	var u Usage
	u.Add(t.Context(), filepath.Join(tree, "sub"))
	u.Add(t.Context(), tree)
	u.Add(t.Context(), filepath.Join(dir, "missing"))
	if u.Bytes < size || u.Bytes >= 2*size || u.Partial {
		t.Errorf("%d bytes, partial %v; want little more than %d", u.Bytes, u.Partial, size)
	}
}

func TestUsageFollowsLinkedParent(t *testing.T) {
	const size = 1 << 20
	dir := t.TempDir()
	written(t, filepath.Join(dir, "real", "tree", "one"), size)
	if err := os.Symlink("real", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	var u, of Usage
	u.Add(t.Context(), filepath.Join(dir, "link", "tree"))
	of.Add(t.Context(), filepath.Join(dir, "link"))
	if u.Bytes < size || of.Bytes >= size {
		t.Errorf("below the link %d bytes, the link itself %d", u.Bytes, of.Bytes)
	}
}

func TestUsageEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var u Usage
	u.Add(ctx, t.TempDir())
	if !u.Partial || u.Bytes != 0 {
		t.Errorf("%+v", u)
	}
}
