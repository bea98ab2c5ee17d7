package datastore

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"go.etcd.io/etcd/client/v3/kubernetes"
	"golang.org/x/sync/errgroup"
)

// The writes of a batch are decided in order, each on top of the previous ones.
func TestBatchedWritesSeeEachOther(t *testing.T) {
	store := testStore(t, t.TempDir(), "")
	begin := store.revision()
	write := func(value string, expected int64) *pendingWrite {
		c := &change{key: "/a", expected: expected}
		if value != "" {
			c.value = []byte(value)
		}
		return newPendingWrite(c)
	}
	batch := []*pendingWrite{
		write("1", 0), write("2", 0), write("3", begin+1), write("4", begin+1), write("", begin+2), write("5", begin+2), write("6", 0),
	}
	store.commit(t.Context(), batch)
	for i, want := range []string{"done 1", "not: 1", "done 2", "not: 3", "done 3", "not: nothing", "done 4"} {
		o := batch[i].outcome
		got := fmt.Sprintf("done %d", o.revision-begin)
		if !o.done {
			got = "not: nothing"
			if o.found != nil {
				got = "not: " + string(o.found.Value)
			}
		}
		if got != want {
			t.Errorf("write %d of the batch: %s, want %s", i, got, want)
		}
	}
	file, err := store.log.loadHead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for where, h := range map[string]head{"in memory": store.head, "in the file": file} {
		if kv := h.values["/a"]; kv == nil || string(kv.Value) != "6" || kv.CreateRevision != begin+4 || h.revision != begin+4 {
			t.Errorf("%s: %+v at revision %d", where, kv, h.revision)
		}
	}
}

// When a batch fails, every writer gets an error, and the head equals the file.
func TestFailedBatchWritesNothing(t *testing.T) {
	dir := t.TempDir()
	store := testStore(t, dir, "&_pragma=max_page_count(60)")
	value := strings.Repeat("x", 8000)
	var group errgroup.Group
	failed := make(chan string, 200)
	for i := range 200 {
		group.Go(func() error {
			key := fmt.Sprintf("/%03d", i)
			_, err := store.client.Kubernetes.OptimisticPut(context.Background(), key, []byte(value), 0, kubernetes.PutOptions{})
			if err != nil {
				failed <- key
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	close(failed)
	if len(failed) == 0 {
		t.Fatal("the disk was never full")
	}
	if err := store.ensureHeadCurrent(); err != nil {
		t.Fatal(err)
	}
	file := testStore(t, dir, "").head
	if len(file.keys) != 200-len(failed) || len(store.head.keys) != len(file.keys) {
		t.Errorf("%d keys in the file and %d in memory, want %d", len(file.keys), len(store.head.keys), 200-len(failed))
	}
	for key := range failed {
		if file.values[key] != nil {
			t.Errorf("%s exists although its write failed", key)
		}
	}
}

// A write to a closed store fails at once.
func TestWriteAfterCloseFails(t *testing.T) {
	store, err := Open(t.Context(), t.TempDir(), reserved(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := store.client.Kubernetes.OptimisticPut(t.Context(), "/a", []byte("1"), 0, kubernetes.PutOptions{}); err == nil {
		t.Error("a write was acknowledged")
	}
}

// A power cut may lose the last derived writes, but never one of those before. SQLite keeps
// this order in its mode NORMAL (1), which waits for the disk before a checkpoint, and not in
// OFF (0). A write of a user waits for the disk: FULL (2).
func TestDerivedWritesStayInOrder(t *testing.T) {
	store := testStore(t, t.TempDir(), "")
	for _, test := range []struct {
		durable bool
		want    int
	}{{false, 1}, {true, 2}, {false, 1}} {
		if err := store.log.setDurable(t.Context(), test.durable); err != nil {
			t.Fatal(err)
		}
		var mode int
		if err := store.log.writer.QueryRowContext(t.Context(), "PRAGMA synchronous").Scan(&mode); err != nil || mode != test.want {
			t.Errorf("durable %t: synchronous = %d, %v; want %d", test.durable, mode, err, test.want)
		}
	}
}
