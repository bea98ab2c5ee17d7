package datastore

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/client/v3/kubernetes"
)

// putSize writes a value of a size to a key of a store, over the value that it has.
func putSize(t *testing.T, s *Store, key string, size int) {
	t.Helper()
	found, _, err := s.get(t.Context(), key, 0)
	if err != nil {
		t.Fatal(err)
	}
	value := []byte(strings.Repeat("v", size))
	done, err := s.client.Kubernetes.OptimisticPut(t.Context(), key, value, revisionOf(found), kubernetes.PutOptions{})
	if err != nil || !done.Succeeded {
		t.Fatalf("put %s: %+v, %v", key, done, err)
	}
}

// keys returns the keys that a store has, in their order.
func keys(t *testing.T, s *Store) string {
	t.Helper()
	page, err := s.list(t.Context(), "/", "0", 0, 0, true)
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(page.kvs))
	for i, kv := range page.kvs {
		names[i] = string(kv.Key)
	}
	return strings.Join(names, " ")
}

// A write beyond a limit removes the objects that have not changed for the longest time.
func TestMemoryRemovesOldest(t *testing.T) {
	for name, limits := range map[string]Limits{
		"objects": {Objects: 3, Bytes: 1 << 20, Age: time.Hour},
		"bytes":   {Objects: 100, Bytes: 300, Age: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			s := openMemory(t.Context(), limits, 1)
			closeAtEnd(t, s, nil)
			for _, key := range []string{"/a", "/b", "/c", "/a", "/d"} {
				putSize(t, s, key, 100)
			}
			if got := keys(t, s); got != "/a /c /d" {
				t.Errorf("the store has %s", got)
			}
			if s.expiry.size != 300 {
				t.Errorf("the store counts %d bytes", s.expiry.size)
			}
		})
	}
}

// An object is removed when its age is reached, counted from its last change, and a watch
// receives the removal.
func TestMemoryRemovesAged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openMemory(t.Context(), Limits{Objects: 10, Bytes: 1 << 20, Age: time.Hour}, 1)
		defer func() { _ = s.Close(t.Context()) }()
		putSize(t, s, "/a", 1)
		putSize(t, s, "/b", 1)
		subscription := newSubscription("/", true)
		if _, ok := s.subscribe(subscription, false); !ok {
			t.Fatal("the store is closed")
		}
		defer s.unsubscribe(subscription)
		time.Sleep(40 * time.Minute)
		putSize(t, s, "/b", 2)
		time.Sleep(20*time.Minute + time.Second)
		synctest.Wait()
		if got := keys(t, s); got != "/b" {
			t.Errorf("after an hour the store has %q", got)
		}
		events, _ := subscription.take()
		if last := events[len(events)-1]; last.Type != mvccpb.DELETE || string(last.Kv.Key) != "/a" {
			t.Errorf("the last event is %s of %s", last.Type, last.Kv.Key)
		}
		time.Sleep(40 * time.Minute)
		synctest.Wait()
		if got := keys(t, s); got != "" {
			t.Errorf("after two hours the store has %q", got)
		}
		if len(s.expiry.changes) > 0 || s.expiry.size != 0 {
			t.Errorf("an empty store keeps %d changes and %d bytes", len(s.expiry.changes), s.expiry.size)
		}
	})
}

// However often objects change, the changes that are kept stay bounded.
func TestMemoryHistoryIsBounded(t *testing.T) {
	limits := Limits{Objects: 50, Bytes: 1000, Age: time.Hour}
	s := openMemory(t.Context(), limits, 1)
	closeAtEnd(t, s, nil)
	for i := range 2000 {
		putSize(t, s, fmt.Sprintf("/%d", i%60), i%40)
	}
	l := s.history.(*memoryLog)
	if len(l.rows) > 2*limits.Objects || l.size > 2*limits.Bytes {
		t.Errorf("the history has %d changes with %d bytes", len(l.rows), l.size)
	}
	if n := len(s.expiry.changes); n > 2*limits.Objects+maxSuperseded+maxBatch {
		t.Errorf("the expiry keeps %d changes", n)
	}
}

// A store in memory answers every read of the past as the store in a file does.
func TestMemoryLogEqualsFile(t *testing.T) {
	file, memory := storeFromOne(t), memoryFromOne(t)
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the test repeats exactly
	for range 200 {
		key := fmt.Sprintf("/%d", random.IntN(10))
		size, remove := 1+random.IntN(20), random.IntN(4) == 0
		for _, s := range []*Store{file, memory} {
			found, _, err := s.get(t.Context(), key, 0)
			switch {
			case err != nil:
				t.Fatal(err)
			case remove && found != nil:
				_, err = s.client.Kubernetes.OptimisticDelete(t.Context(), key, found.ModRevision, kubernetes.DeleteOptions{})
			case !remove:
				putSize(t, s, key, size)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	last := memory.Revision()
	for revision := range last {
		want, wantErr := file.history.rangeAt(t.Context(), "/2", "/8", 3, revision+1)
		got, gotErr := memory.history.rangeAt(t.Context(), "/2", "/8", 3, revision+1)
		if fmt.Sprint(want, wantErr) != fmt.Sprint(got, gotErr) {
			t.Fatalf("range at %d: %v %v, want %v %v", revision+1, got, gotErr, want, wantErr)
		}
		changes, wantErr := file.history.changesAfter(t.Context(), revision+1, last)
		events, gotErr := memory.history.changesAfter(t.Context(), revision+1, last)
		if fmt.Sprint(changes, wantErr) != fmt.Sprint(events, gotErr) {
			t.Fatalf("the %d changes after %d differ from the %d of the file: %v, %v", len(events), revision+1, len(changes), gotErr, wantErr)
		}
	}
}
