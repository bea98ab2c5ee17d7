package dockersim

import (
	"os"
	"path/filepath"
)

// TB is the part of testing.TB that Start uses. It keeps package testing out of programs
// that use the simulated engine for a demonstration.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// Start starts an engine that ends with the test or benchmark.
func Start(tb TB) *Engine {
	tb.Helper()
	// Not tb.TempDir: its path holds the test's name, and a socket's path must
	// be short.
	dir, err := os.MkdirTemp("", "dsim")
	if err != nil {
		tb.Fatalf("simulated engine: %v", err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	e, err := New(filepath.Join(dir, "docker.sock"))
	if err != nil {
		tb.Fatalf("simulated engine: %v", err)
	}
	tb.Cleanup(func() { _ = e.Close() })
	return e
}
