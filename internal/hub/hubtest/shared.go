package hubtest

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
)

// Shared is a hub for all tests of a package. It starts with the first test that needs
// it. A test uses names of its own, and runs alone if it calls a method that starts or
// ends programs.
type Shared struct {
	opts []Option

	mu      sync.Mutex
	dir     string
	cluster *Cluster
	// isInstalled is set once Installed has applied the objects of a hub.
	isInstalled bool
	// err is why the hub did not start. Each further test fails at once.
	err error
}

// NewShared returns a hub that has not started.
func NewShared(opts ...Option) *Shared { return &Shared{opts: opts} }

// Run runs all tests and ends the hub. It returns the exit code for TestMain.
func (s *Shared) Run(m interface{ Run() int }) (code int) {
	code = m.Run()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cluster != nil {
		s.cluster.Close()
	}
	if s.dir == "" {
		return code
	}
	if err := filetree.Remove(s.dir); err != nil {
		fmt.Fprintln(os.Stderr, "remove the files of the hub:", err)
		return max(code, 1)
	}
	return code
}

// Hub returns the hub, which is ready, for one test.
func (s *Shared) Hub(tb testing.TB) *Hub {
	tb.Helper()
	programs := Require(tb)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cluster == nil && s.err == nil {
		s.launch(programs)
	}
	if s.err != nil {
		tb.Fatal(s.err)
	}
	h := newHub(tb, s.cluster)
	// An earlier test may have stopped it.
	h.StartAPIServer()
	return h
}

func (s *Shared) launch(programs string) {
	if s.dir, s.err = os.MkdirTemp("", "hub"); s.err == nil {
		s.cluster, s.err = Launch(context.Background(), programs, s.dir, s.opts...)
	}
}
