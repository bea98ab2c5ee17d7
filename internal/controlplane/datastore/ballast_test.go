package datastore

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"go.etcd.io/etcd/client/v3/kubernetes"
)

// fullError is what SQLite says when there is no room.
func fullError(t *testing.T) error {
	t.Helper()
	store := testStore(t, t.TempDir(), "&_pragma=max_page_count(20)")
	for i := range 1000 {
		_, err := store.client.Kubernetes.OptimisticPut(t.Context(), fmt.Sprint(i), []byte(strings.Repeat("x", 10_000)), 0, kubernetes.PutOptions{})
		if err != nil {
			return err
		}
	}
	t.Fatal("the disk never gets full")
	return nil
}

// F11: what frees space is written although the disk is full.
func TestBallastIsForWhatFreesSpace(t *testing.T) {
	full := fullError(t)
	if !isFull(full) || isFull(errors.New("full")) {
		t.Fatalf("not known as a full disk: %v", full)
	}
	updateOf := func(value string) row { return row{revision: 5, created: 4, value: []byte(value)} }
	create, removal := row{revision: 5, created: 5, value: []byte("x")}, row{revision: 5, created: 4}
	update := updateOf(`{"kind":"Container","metadata":{"labels":{"a":"deletionTimestamp"}},"status":{"restarts":7}}`)
	deletion := updateOf(`{"kind":"Container","metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"}}`)
	stop := updateOf(`{"kind":"App","metadata":{"name":"app"},"spec":{"running":false}}`)
	for _, test := range []struct {
		name string
		rows []row
		// tries are how many writes fail after the first.
		tries, steps int
		done         bool
	}{
		{"an object that is new waits", []row{create, create}, 0, 0, false},
		{"an update", []row{update}, 0, 1, true},
		{"a removal among new objects", []row{create, removal}, 2, 3, true},
		{"more updates than half of it", []row{update, updateOf("x")}, 100, ballastSize / ballastStep / 2, false},
		{"a deletion that has begun", []row{update, deletion}, ballastSize/ballastStep - 1, ballastSize / ballastStep, true},
		{"the order to stop", []row{create, stop}, ballastSize/ballastStep - 1, ballastSize / ballastStep, true},
		{"more than there is", []row{removal}, 100, ballastSize / ballastStep, false},
	} {
		s := &Store{ballast: newBallast(t.TempDir())}
		if err := s.ballast.fill(); err != nil {
			t.Fatal(err)
		}
		tries := test.tries
		err := s.appendWithBallast(test.rows, full, func([]row) error {
			if tries--; tries >= 0 {
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
