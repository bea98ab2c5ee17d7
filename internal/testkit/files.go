package testkit

import (
	"os"
	"path/filepath"
	"testing"
)

// ShortDir returns an empty directory that is removed after the test. The path of
// testing's TempDir contains the name of the test: often too long for the path of
// a unix socket, which has 104 bytes or fewer.
func ShortDir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "rdd")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// WriteFile writes text to a file that only the user can read, and creates the
// directories above it.
func WriteFile(tb testing.TB, path, text string) {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
}
