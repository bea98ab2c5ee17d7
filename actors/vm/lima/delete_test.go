package lima

import (
	"os"
	"path/filepath"
	"testing"
)

func TestDeleteLeavesNothing(t *testing.T) {
	b := newBench(t, behaves)
	b.start()
	for range 2 {
		if err := b.Delete(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{b.cfg.Home, b.cfg.Socket, b.paths.AgentLog()} {
		if _, err := os.Lstat(path); err == nil {
			t.Errorf("left: %s", path)
		}
	}
	if left := b.processes(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestStopKeepsOtherDriversSocket(t *testing.T) {
	b := newBench(t, behaves)
	if err := os.MkdirAll(filepath.Dir(b.cfg.Socket), 0o700); err != nil {
		t.Fatal(err)
	}
	other := &fakeAgent{}
	if err := other.serve(b.cfg.Socket, nil); err != nil {
		t.Fatal(err)
	}
	b.stop()
	if _, err := os.Stat(b.cfg.Socket); err != nil {
		t.Error("the socket of another driver's engine was removed")
	}
	if err := os.Remove(b.cfg.Socket); err != nil {
		t.Fatal(err)
	}
}
