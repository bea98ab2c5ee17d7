package native

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// On a slow machine, Available must not report that dockerd is missing.
func TestAvailableReportsTimeoutAsTransient(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "dockerd")
	if err := os.WriteFile(program, []byte("#!/bin/sh\nsleep 60\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	d := New(Config{Dir: dir, Socket: filepath.Join(dir, "s", "docker.sock"), LogDir: dir, Getenv: func(name string) string {
		return map[string]string{"RDD_DOCKERD": program, "PATH": os.Getenv("PATH")}[name]
	}})
	k, err := d.kind("")
	if err != nil {
		t.Fatal(err)
	}
	l, err := d.launcher(k)
	if err != nil {
		t.Skip(err) // not root, and the programs for rootless are missing
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := l.version(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("version = %v", err)
	}
	if _, err := d.Available(ctx, messages.VMSpec{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Available = %v", err)
	}
}

func TestInspectReportsLastUseOfData(t *testing.T) {
	dir := t.TempDir()
	d := New(Config{Dir: dir, Socket: filepath.Join(dir, "s", "docker.sock"), LogDir: dir})
	k, err := d.kind("")
	if err != nil {
		t.Fatal(err)
	}
	want := func(used bool) {
		t.Helper()
		if seen, err := d.Inspect(t.Context()); err != nil || seen.Used.IsZero() == used {
			t.Errorf("Inspect = %+v, %v", seen, err)
		}
	}
	want(false)
	if err := d.makeDirs(k); err != nil {
		t.Fatal(err)
	}
	want(false)
	if err := os.Mkdir(filepath.Join(k.dataDir, "image"), 0o700); err != nil {
		t.Fatal(err)
	}
	want(true)
}
