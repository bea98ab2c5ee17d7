// Package scratch gives tests directories and files of their own. It exists
// because testing's TempDir names a directory after its test: often too long for
// the path of a unix socket, which has 104 bytes or fewer.
package scratch

import (
	"os"
	"path/filepath"
	"testing"
)

// Dir returns an empty directory with a short path, which goes with the test.
func Dir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "rdd")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// Write makes a file with this text, and the directories above it, all for the
// user's eyes only.
func Write(tb testing.TB, path, text string) {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
}
