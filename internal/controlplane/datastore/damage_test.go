package datastore

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/etcd/client/v3/kubernetes"
)

// Row E5: a write to a full disk is an error, and earlier objects stay.
func TestFullDiskFailsWrite(t *testing.T) {
	store := testStore(t, t.TempDir(), "&_pragma=max_page_count(100)")
	value := strings.Repeat("x", 10_000)
	var failed error
	written := 0
	for ; written < 1000 && failed == nil; written++ {
		_, failed = store.client.Kubernetes.OptimisticPut(t.Context(), fmt.Sprintf("/%04d", written), []byte(value), 0, kubernetes.PutOptions{})
	}
	if failed == nil || !strings.Contains(failed.Error(), "full") {
		t.Fatalf("after %d writes: %v", written, failed)
	}
	if !strings.Contains(failed.Error(), store.log.path) || !strings.Contains(failed.Error(), "free some space") {
		t.Errorf("the error names no file or no next step: %v", failed)
	}
	first, err := store.client.Kubernetes.Get(t.Context(), "/0000", kubernetes.GetOptions{})
	if err != nil || first.KV == nil {
		t.Fatalf("%+v, %v", first, err)
	}
	_, err = store.client.Kubernetes.OptimisticPut(t.Context(), "/0000", []byte(value), first.KV.ModRevision, kubernetes.PutOptions{GetOnFailure: true})
	if err == nil {
		t.Error("an update on a full disk was reported as a success or a conflict")
	}
	count, err := store.client.Kubernetes.Count(t.Context(), "/", kubernetes.CountOptions{})
	if err != nil || count != int64(written-1) {
		t.Errorf("%d objects, want %d: %v", count, written-1, err)
	}
}

// Row E5: the error about an unusable file is permanent, and names the file and the
// next step.
func TestOpenUnusableFileFails(t *testing.T) {
	for name, breakIt := range map[string]func(path string) error{
		"no database":     func(path string) error { return os.WriteFile(path, make([]byte, 8192), 0o600) },
		"a directory":     func(path string) error { return os.Mkdir(path, 0o700) },
		"a damaged page":  damage,
		"cut in the half": func(path string) error { return os.Truncate(path, 8192) },
		"a socket": func(path string) error {
			listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
			if err == nil {
				listener.SetUnlinkOnClose(false)
				err = listener.Close()
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, FileName)
			if name == "a damaged page" || name == "cut in the half" {
				fill(t, dir)
			}
			if err := breakIt(path); err != nil {
				t.Fatal(err)
			}
			store, err := Open(t.Context(), dir, reserved(t), nil)
			if err == nil {
				store.Close(t.Context())
				t.Fatal("Open succeeded")
			}
			if _, permanent := errors.AsType[*UnusableError](err); !permanent {
				t.Errorf("the error is not permanent: %v", err)
			}
			for _, want := range []string{path, "rdd svc reset"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q: %v", want, err)
				}
			}
		})
	}
}

// fill creates a datastore of 50 keys in the state that a killed process leaves.
func fill(t *testing.T, dir string) {
	t.Helper()
	store, err := Open(t.Context(), dir, reserved(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		put(t, store, fmt.Sprintf("/%d", i), strings.Repeat("x", 4000), 0)
	}
	if err := store.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	// A clean end removes the write-ahead log; an empty one indicates a crash.
	if err := os.WriteFile(filepath.Join(dir, FileName+"-wal"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// damage overwrites the middle of the file.
func damage(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	garbage := []byte(strings.Repeat("garbage ", 4096))
	_, err = file.WriteAt(garbage, 40_960)
	return errors.Join(err, file.Close())
}

// Row E5: when pages are damaged under a running store, the error of a read names the
// file and the next step.
func TestDamageErrorNamesFile(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir)
	store := testStore(t, dir, "")
	last := put(t, store, "/last", "x", 0)
	put(t, store, "/last", "y", last.Revision)
	if _, err := store.log.checkpoint(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, FileName)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteAt(bytes.Repeat([]byte("garbage "), int(info.Size()-4096)/8), 4096)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	// A new connection has no pages in memory.
	store.log.reader.SetMaxIdleConns(0)
	_, list := store.client.Kubernetes.List(t.Context(), "/", kubernetes.ListOptions{Revision: last.Revision})
	_, get := store.client.Kubernetes.Get(t.Context(), "/last", kubernetes.GetOptions{Revision: last.Revision})
	_, after := store.log.changesAfter(t.Context(), last.Revision-1, last.Revision+1)
	for what, err := range map[string]error{
		"a list of the past": list,
		"a key of the past":  get,
		"a probe":            store.Ping(t.Context()),
		"a resumed watch":    after,
	} {
		for _, want := range []string{"malformed", path, Remedy} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s does not say %q: %v", what, want, err)
			}
		}
	}
}
