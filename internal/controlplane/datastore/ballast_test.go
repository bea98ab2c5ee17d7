package datastore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"go.etcd.io/etcd/client/v3/kubernetes"
)

// fullError returns SQLite's error for a full disk.
func fullError(t *testing.T) error {
	t.Helper()
	store := testStore(t, t.TempDir(), "&_pragma=max_page_count(20)")
	for i := range 1000 {
		_, err := store.client.Kubernetes.OptimisticPut(t.Context(), fmt.Sprint(i), []byte(strings.Repeat("x", 10_000)), 0, kubernetes.PutOptions{})
		if err != nil {
			return err
		}
	}
	t.Fatal("the disk was never full")
	return nil
}

// Row F11: changes that free space are written although the disk is full.
func TestBallastAllowsFreeingSpace(t *testing.T) {
	full := fullError(t)
	if !isFull(full) || isFull(errors.New("full")) {
		t.Fatalf("not recognized as a full disk: %v", full)
	}
	updateOf := func(value string) row { return row{revision: 5, created: 4, value: []byte(value)} }
	create, removal := row{revision: 5, created: 5, value: []byte("x")}, row{revision: 5, created: 4}
	update := updateOf(`{"kind":"Container","metadata":{"labels":{"a":"deletionTimestamp"}},"status":{"restarts":7}}`)
	deletion := updateOf(`{"kind":"Container","metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"}}`)
	stop := updateOf(`{"kind":"App","metadata":{"name":"app"},"spec":{"running":false}}`)
	for _, test := range []struct {
		name string
		rows []row
		// failures is how many retries fail; steps is how much ballast is released.
		failures, steps int
		done            bool
	}{
		{"only new objects", []row{create, create}, 0, 0, false},
		{"an update", []row{update}, 0, 1, true},
		{"a removal among new objects", []row{create, removal}, 2, 3, true},
		{"updates beyond half of the ballast", []row{update, updateOf("x")}, 100, ballastSize / ballastStep / 2, false},
		{"a deletion that has begun", []row{update, deletion}, ballastSize/ballastStep - 1, ballastSize / ballastStep, true},
		{"running=false", []row{create, stop}, ballastSize/ballastStep - 1, ballastSize / ballastStep, true},
		{"beyond the whole ballast", []row{removal}, 100, ballastSize / ballastStep, false},
	} {
		s := &Store{ballast: newBallast(t.TempDir()), log: &log{path: filepath.Join(t.TempDir(), "none")}}
		if err := s.ballast.fill(); err != nil {
			t.Fatal(err)
		}
		failures := test.failures
		err := s.appendWithBallast(test.rows, full, func([]row) error {
			if failures--; failures >= 0 {
				return full
			}
			return nil
		})
		if (err == nil) != test.done {
			t.Errorf("%s: %v", test.name, err)
		}
		info, err := os.Stat(s.ballast.path)
		if err != nil || info.Size() != ballastSize-int64(test.steps)*ballastStep {
			t.Errorf("%s: %d bytes are left, %v", test.name, info.Size(), err)
		}
		if err := s.ballast.fill(); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(s.ballast.path); err != nil || info.Size() != ballastSize || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: filled again: %v, %v", test.name, info, err)
		}
	}
}

// Row F11: hundreds of creates that wait for space must not use up what a deletion gets.
func TestFullDiskRefusesCreates(t *testing.T) {
	store := testStore(t, t.TempDir(), "&_pragma=max_page_count(20)")
	put(t, store, "/old", strings.Repeat("x", 10_000), 0)
	put(t, store, "/small", "x", 0)
	if err := store.ballast.fill(); err != nil {
		t.Fatal(err)
	}
	var free atomic.Int64
	store.ballast.free = func(string) (int64, error) { return free.Load(), nil }
	create := func(key string, size int) *pendingWrite {
		return newPendingWrite(&change{key: key, value: []byte(strings.Repeat("y", size))})
	}
	removal := newPendingWrite(&change{key: "/small", expected: store.head.values["/small"].ModRevision})

	batch := []*pendingWrite{create("/a", 100_000), removal, create("/small", 1)}
	store.commit(t.Context(), batch)
	if !isFull(batch[0].err) || removal.err != nil || !removal.outcome.done {
		t.Errorf("a create beside a removal: %v, the removal: %+v, %v", batch[0].err, removal.outcome, removal.err)
	}
	if !isFull(batch[2].err) {
		t.Errorf("a create after the removal: %v", batch[2].err)
	}
	info, err := os.Stat(store.ballast.path)
	if err != nil || info.Size() != ballastSize-ballastStep {
		t.Errorf("the removal left %d bytes of ballast, %v", info.Size(), err)
	}

	later := []*pendingWrite{create("/b", 1), create("/old", 1)}
	store.commit(t.Context(), later)
	if !errors.Is(later[0].err, errCreateRefused) {
		t.Errorf("a create while the ballast is used: %v", later[0].err)
	}
	if later[1].err != nil || later[1].outcome.done || later[1].outcome.found == nil {
		t.Errorf("a create of an existing object: %+v, %v", later[1].outcome, later[1].err)
	}

	free.Store(4 * ballastSize)
	again := create("/b", 1)
	store.commit(t.Context(), []*pendingWrite{again})
	if again.err != nil || !again.outcome.done || store.ballast.isUsed() {
		t.Errorf("a create with free space: %+v, %v", again.outcome, again.err)
	}
}

// Row F11: each removal of a mirror adds some pages to the write-ahead log. Its space is
// used again before the ballast is.
func TestMakeSpaceEmptiesWriteAheadLog(t *testing.T) {
	store := testStore(t, t.TempDir(), "")
	for i := range 40 {
		put(t, store, fmt.Sprint("/", i), strings.Repeat("x", 10_000), 0)
	}
	if size, err := store.log.walSize(); err != nil || size < shrinkFrom {
		t.Fatalf("the log has %d bytes, %v", size, err)
	}
	if err := store.ballast.fill(); err != nil {
		t.Fatal(err)
	}
	ballastIs := func(want int64) {
		t.Helper()
		if info, err := os.Stat(store.ballast.path); err != nil || info.Size() != want {
			t.Errorf("%d bytes of ballast are left, want %d, %v", info.Size(), want, err)
		}
	}
	if !store.makeSpace(0) {
		t.Error("a large log was not emptied")
	}
	ballastIs(ballastSize)
	if size, err := store.log.walSize(); err != nil || size != 0 {
		t.Errorf("the log has %d bytes, %v", size, err)
	}
	if !store.makeSpace(0) {
		t.Error("no ballast was released")
	}
	ballastIs(ballastSize - ballastStep)
}
