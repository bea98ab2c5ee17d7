package datastore

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/etcd/client/v3/kubernetes"
	"golang.org/x/sync/errgroup"
)

// The write-ahead log stays small while many write without a pause.
func TestCheckpointBoundsWriteAheadLog(t *testing.T) {
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
	// Changes that are written while the log is emptied add to walLimit.
	if size, err := store.log.walSize(); err != nil || size > 3*walLimit {
		t.Errorf("the log has %d MB, %v", size>>20, err)
	}
}

// The write-ahead log becomes small again at the first write after a checkpoint, when a reader
// has made it grow.
func TestWriteAheadLogShrinksBetweenWrites(t *testing.T) {
	store := testStore(t, t.TempDir(), "")
	put(t, store, "/registry/a", "first", 0)
	reader, err := store.log.reader.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Rollback() }()
	var revision int64
	if err := reader.QueryRow("SELECT before FROM forgotten").Scan(&revision); err != nil {
		t.Fatal(err)
	}
	const large = 16 << 20
	value := strings.Repeat("x", 100_000)
	i := 0
	walSize := func() int64 {
		t.Helper()
		put(t, store, fmt.Sprintf("/registry/%d", i), value, 0)
		i++
		size, err := store.log.walSize()
		if err != nil {
			t.Fatal(err)
		}
		return size
	}
	for walSize() < large {
		if i > 1000 {
			t.Fatal("the log does not grow")
		}
	}
	if err := reader.Rollback(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.log.checkpoint(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	value = "small"
	if size := walSize(); size >= large {
		t.Errorf("the log has %d MB after a checkpoint and a write", size>>20)
	}
}

// The write-ahead log is emptied some seconds after the last write.
func TestIdleCheckpointEmptiesWriteAheadLog(t *testing.T) {
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

// A start compacts what daemons left that did not run until their first compaction.
func TestOpenCompactsAfterShortSessions(t *testing.T) {
	dir := t.TempDir()
	for session := range 4 {
		store, err := Open(t.Context(), dir, reserved(t), nil)
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
			t.Fatalf("the log keeps %d changes of one key", rows)
		}
	}
}

// A file that was large shrinks within ten minutes, and nothing else changes.
func TestFileShrinksAfterManyChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		store := testStore(t, dir, "")
		stays := put(t, store, "/registry/stays", "here", 0)
		last := int64(0)
		for i := range 3 * compactRetain {
			value := "small" // of the changes that are retained
			if i < 2*compactRetain {
				value = strings.Repeat("x", 20_000)
			}
			last = put(t, store, "/registry/a", value, last).Revision
		}
		elapse := func(d time.Duration) int64 {
			<-time.After(d) // of the bubble's clock
			synctest.Wait()
			info, err := os.Stat(filepath.Join(dir, FileName))
			if err != nil {
				t.Fatal(err)
			}
			return info.Size()
		}
		before, after := elapse(time.Minute), elapse(2*compactInterval)
		if before < 30<<20 || after > shrinkFloor {
			t.Errorf("the file has %d KB, before %d KB", after>>10, before>>10)
		}
		if got, _, err := store.get(t.Context(), "/registry/stays", 0); err != nil || got.ModRevision != stays.Revision {
			t.Errorf("another key is at %v, %v", got, err)
		}
		if problems, err := Integrity(t.Context(), filepath.Join(dir, FileName)); err != nil || len(problems) > 0 {
			t.Errorf("the check finds %v, %v", problems, err)
		}
	})
}

// A read that waits for the same commit as a failed write succeeds.
func TestFullDiskFailsOnlyWrites(t *testing.T) {
	store := testStore(t, t.TempDir(), "&_pragma=max_page_count(40)")
	read, written := newPendingWrite(nil), newPendingWrite(&change{key: "/a", value: make([]byte, 1<<20)})
	store.commit(t.Context(), []*pendingWrite{read, written})
	if written.err == nil {
		t.Fatal("the write succeeded on a full disk")
	}
	if read.err != nil {
		t.Errorf("the read failed: %v", read.err)
	}
}
