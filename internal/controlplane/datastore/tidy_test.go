package datastore

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/etcd/client/v3/kubernetes"
	"golang.org/x/sync/errgroup"
)

// TestTheWriteAheadLogStaysSmall while many write without a pause.
func TestTheWriteAheadLogStaysSmall(t *testing.T) {
	store := testStore(t, t.TempDir(), "")
	value := []byte(strings.Repeat("x", 6000))
	var group errgroup.Group
	for writer := range 8 {
		group.Go(func() error {
			for i := range 1500 {
				key := fmt.Sprintf("/registry/%d/%d", writer, i)
				if _, err := store.client.Kubernetes.OptimisticPut(t.Context(), key, value, 0, kubernetes.PutOptions{}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	// What is written while the log is being emptied comes on top.
	if size, err := store.log.walSize(); err != nil || size > 3*walLimit {
		t.Errorf("the log has %d MB, %v", size>>20, err)
	}
}

// TestTheWriteAheadLogIsEmptiedWhenIdle some seconds after the last write.
func TestTheWriteAheadLogIsEmptiedWhenIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := testStore(t, t.TempDir(), "")
		put(t, store, "/registry/a", strings.Repeat("x", 6000), 0)
		before, err := store.log.walSize()
		if err != nil || before == 0 {
			t.Fatalf("the log has %d bytes after a write, %v", before, err)
		}
		<-time.After(idleAfter + time.Second) // of the bubble's clock
		synctest.Wait()
		if size, err := store.log.walSize(); err != nil || size != 0 {
			t.Errorf("the log has %d bytes, %v", size, err)
		}
	})
}

// TestShortSessionsForgetToo: what a daemon leaves that never ran for long enough
// is forgotten by the next one.
func TestShortSessionsForgetToo(t *testing.T) {
	dir := t.TempDir()
	for session := range 4 {
		store, err := Open(t.Context(), dir, reserved(t))
		if err != nil {
			t.Fatal(err)
		}
		last := store.head.values["/registry/a"].GetModRevision()
		for i := range 2 * compactRetain {
			last = put(t, store, "/registry/a", fmt.Sprint(session, i), last).Revision
		}
		if err := store.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	store := testStore(t, dir, "")
	deadline := time.Now().Add(10 * time.Second)
	for {
		var rows int
		if err := store.log.reader.QueryRowContext(t.Context(), "SELECT count(*) FROM log").Scan(&rows); err != nil {
			t.Fatal(err)
		}
		if rows <= compactRetain+2 { // the value, and the last epoch, before the others
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d changes of one key are kept", rows)
		}
	}
}

// TestAReadIsNotToldOfAnothersFullDisk although both wait for the same commit.
func TestAReadIsNotToldOfAnothersFullDisk(t *testing.T) {
	store := testStore(t, t.TempDir(), "&_pragma=max_page_count(40)")
	read, written := newPending(nil), newPending(&change{key: "/a", value: make([]byte, 1<<20)})
	store.commit(t.Context(), []*pending{read, written})
	if written.err == nil {
		t.Fatal("the write was done")
	}
	if read.err != nil {
		t.Errorf("the read was told: %v", read.err)
	}
}
