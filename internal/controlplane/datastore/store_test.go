package datastore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"go.etcd.io/etcd/client/v3/kubernetes"
	"golang.org/x/sync/errgroup"
)

func testStore(t testing.TB, dir, params string) *Store {
	t.Helper()
	store, err := open(t.Context(), dir, settings{reserved: reserved(t), now: time.Now(), params: params})
	closeAtEnd(t, store, err)
	return store
}

func testStoreAt(t testing.TB, dir, reserved string) *Store {
	t.Helper()
	store, err := Open(t.Context(), dir, reserved, nil)
	closeAtEnd(t, store, err)
	return store
}

func closeAtEnd(t testing.TB, store *Store, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// reserved returns a new file for reserved revisions.
func reserved(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "revision")
}

func put(t testing.TB, store *Store, key, value string, expected int64) kubernetes.PutResponse {
	t.Helper()
	response, err := store.client.Kubernetes.OptimisticPut(t.Context(), key, []byte(value), expected, kubernetes.PutOptions{GetOnFailure: true})
	if err != nil {
		t.Fatal(err)
	}
	return response
}

// response is one batch of events of a watch, or the error that ended it.
type response struct {
	Events []*event
	err    error
}

// follow watches keys directly, without the storage of a resource. The channel is
// closed when the watch ends.
func follow(ctx context.Context, store *Store, subscription *subscription, from int64) <-chan response {
	out := make(chan response)
	send := func(r response) bool {
		select {
		case out <- r:
			return true
		case <-ctx.Done():
			return false
		}
	}
	at, _ := store.subscribe(subscription, false)
	go func() {
		defer close(out)
		defer store.unsubscribe(subscription)
		err := store.follow(ctx, subscription, from, at, func(events []*event) (bool, error) {
			return len(events) == 0 || send(response{Events: events}), nil
		})
		if err != nil {
			send(response{err: err})
		}
	}()
	return out
}

// An empty value is no deletion, also when it was read from the file, and the deletion of a
// missing key changes nothing, as in etcd.
func TestEmptyValueIsNoDeletion(t *testing.T) {
	dir, reserved := t.TempDir(), reserved(t)
	store := testStoreAt(t, dir, reserved)
	created := put(t, store, "/a", "", 0)
	removed, err := store.client.Kubernetes.OptimisticDelete(t.Context(), "/b", 0, kubernetes.DeleteOptions{})
	if err != nil || !removed.Succeeded || removed.Revision != created.Revision {
		t.Errorf("the deletion of a missing key: %+v, %v; want the revision %d", removed, err, created.Revision)
	}
	if err := store.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	store = testStoreAt(t, dir, reserved)
	put(t, store, "/b", "1", 0)
	for _, revision := range []int64{0, created.Revision} {
		found, err := store.client.Kubernetes.Get(t.Context(), "/a", kubernetes.GetOptions{Revision: revision})
		if err != nil || found.KV == nil || found.KV.ModRevision != created.Revision {
			t.Errorf("the empty value at %d: %+v, %v", revision, found, err)
		}
	}
	changes, err := store.history.changesAfter(t.Context(), created.Revision-1, created.Revision)
	if err != nil || len(changes) != 1 || changes[0].Type != mvccpb.PUT {
		t.Errorf("the changes are %+v, %v", changes, err)
	}
}

// A key is created, updated, deleted and recreated, with conflicts at each step.
func TestOptimisticWrites(t *testing.T) {
	store := testStore(t, t.TempDir(), "")
	created := put(t, store, "/a", "1", 0)
	if !created.Succeeded || created.Revision == 0 {
		t.Fatalf("create: %+v", created)
	}
	if again := put(t, store, "/a", "2", 0); again.Succeeded || string(again.KV.Value) != "1" {
		t.Errorf("a second create: %+v", again)
	}
	updated := put(t, store, "/a", "2", created.Revision)
	if !updated.Succeeded || updated.Revision <= created.Revision {
		t.Errorf("update: %+v", updated)
	}
	if stale := put(t, store, "/a", "3", created.Revision); stale.Succeeded || string(stale.KV.Value) != "2" {
		t.Errorf("a stale update: %+v", stale)
	}
	remove := func(expected int64) kubernetes.DeleteResponse {
		response, err := store.client.Kubernetes.OptimisticDelete(t.Context(), "/a", expected, kubernetes.DeleteOptions{GetOnFailure: true})
		if err != nil {
			t.Fatal(err)
		}
		return response
	}
	if stale := remove(created.Revision); stale.Succeeded || string(stale.KV.Value) != "2" {
		t.Errorf("a stale delete: %+v", stale)
	}
	if deleted := remove(updated.Revision); !deleted.Succeeded {
		t.Errorf("delete: %+v", deleted)
	}
	if again := remove(updated.Revision); again.Succeeded || again.KV != nil {
		t.Errorf("a second delete: %+v", again)
	}
	if updated := put(t, store, "/a", "4", updated.Revision); updated.Succeeded || updated.KV != nil {
		t.Errorf("an update of what was deleted: %+v", updated)
	}
	recreated := put(t, store, "/a", "5", 0)
	if !recreated.Succeeded {
		t.Errorf("a create after the delete: %+v", recreated)
	}
	got, err := store.client.Kubernetes.Get(t.Context(), "/a", kubernetes.GetOptions{})
	if err != nil || string(got.KV.Value) != "5" || got.KV.CreateRevision != recreated.Revision {
		t.Errorf("got %+v, %v", got, err)
	}
	old, err := store.client.Kubernetes.Get(t.Context(), "/a", kubernetes.GetOptions{Revision: updated.Revision})
	if err != nil || string(old.KV.Value) != "2" {
		t.Errorf("at the old revision %+v, %v", old, err)
	}
}

// Row E4: acknowledged writes survive a kill. The test copies the files of a running
// store, which are what a killed process leaves.
func TestOpenAfterCrashKeepsWrites(t *testing.T) {
	dir, crashed := t.TempDir(), t.TempDir()
	store := testStore(t, dir, "")
	for i := range 20 {
		put(t, store, fmt.Sprintf("/registry/%02d", i), "value", 0)
	}
	for _, name := range []string{FileName, FileName + "-wal"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(crashed, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	after := testStore(t, crashed, "")
	list, err := after.client.Kubernetes.List(t.Context(), "/registry/", kubernetes.ListOptions{})
	if err != nil || len(list.Kvs) != 20 {
		t.Errorf("%d keys, want 20: %v", len(list.Kvs), err)
	}
}

// A watch from an old revision delivers the later changes in order, with the previous
// values.
func TestFollowFromRevisionReadsHistory(t *testing.T) {
	store := testStore(t, t.TempDir(), "")
	first := put(t, store, "/a/1", "one", 0)
	second := put(t, store, "/a/1", "two", first.Revision)
	put(t, store, "/b/1", "other", 0)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	events := follow(ctx, store, newSubscription("/a/", true), second.Revision-1)
	if _, err := store.client.Kubernetes.OptimisticDelete(ctx, "/a/1", second.Revision, kubernetes.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for len(got) < 2 {
		response, ok := <-events
		if !ok {
			t.Fatal("the watch ended")
		}
		for _, event := range response.Events {
			got = append(got, fmt.Sprintf("%s %s was %s", event.Type, event.Kv.Value, event.PrevKv.GetValue()))
		}
	}
	if want := "PUT two was one,DELETE  was two"; strings.Join(got, ",") != want {
		t.Errorf("got %q", got)
	}
	cancel()
	for range events {
	}
}

// A watch that resumes from an old revision reads the history in bounded batches.
func TestResumedWatchReadsBoundedBatches(t *testing.T) {
	for name, test := range map[string]struct{ changes, size, perBatch int }{
		"many small changes": {2*maxHistory + 7, 10, maxHistory},
		"few large changes":  {12, maxHistorySize / 4, 4},
	} {
		t.Run(name, func(t *testing.T) {
			store := testStore(t, t.TempDir(), "")
			begin := store.revision()
			value := strings.Repeat("x", test.size)
			for i := range test.changes {
				put(t, store, fmt.Sprintf("/a/%d", i), value, 0)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			events := follow(ctx, store, newSubscription("/a/", true), begin)
			for last := begin; last < store.revision(); {
				response := <-events
				if response.err != nil || len(response.Events) == 0 || len(response.Events) > test.perBatch {
					t.Fatalf("after revision %d: %d events at once: %v", last-begin, len(response.Events), response.err)
				}
				for _, e := range response.Events {
					if last++; e.Kv.ModRevision != last {
						t.Fatalf("revision %d instead of %d", e.Kv.ModRevision-begin, last-begin)
					}
				}
			}
		})
	}
}

// A compaction removes history and keeps the current state.
func TestCompactKeepsCurrentState(t *testing.T) {
	store := testStore(t, t.TempDir(), "")
	last := int64(0)
	for i := range compactRetain + 200 {
		last = put(t, store, "/registry/a", fmt.Sprint(i), last).Revision
	}
	if err := store.compactTo(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	if err := store.compactTo(t.Context(), last); err != nil {
		t.Errorf("the second compaction: %v", err)
	}
	if _, err := store.client.Kubernetes.Get(t.Context(), "/registry/a", kubernetes.GetOptions{Revision: 5}); !errors.Is(err, rpctypes.ErrCompacted) {
		t.Errorf("a compacted revision: %v", err)
	}
	if _, err := store.client.Kubernetes.Get(t.Context(), "/registry/a", kubernetes.GetOptions{Revision: last + 1000}); !errors.Is(err, rpctypes.ErrFutureRev) {
		t.Errorf("a future revision: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	response := <-follow(ctx, store, newSubscription("/registry/", true), 4)
	if !errors.Is(response.err, rpctypes.ErrGRPCCompacted) {
		t.Errorf("a watch from a compacted revision: %+v", response)
	}
	if now, err := store.client.Kubernetes.Get(t.Context(), "/registry/a", kubernetes.GetOptions{}); err != nil || now.KV.ModRevision != last {
		t.Errorf("%+v, %v", now, err)
	}
}

// With concurrent writers, the head and the state that a watch adds up to equal the
// state in the file.
func TestHeadEqualsLog(t *testing.T) {
	dir := t.TempDir()
	store := testStore(t, dir, "")
	const writers, rounds = 6, 60
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	begin := store.revision()
	events := follow(ctx, store, newSubscription("/registry/", true), begin)
	var group errgroup.Group
	for writer := range writers {
		random := rand.New(rand.NewPCG(uint64(writer), 1))
		group.Go(func() error { return writeAtRandom(ctx, store, random, rounds) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	seen := head{revision: begin, values: map[string]*mvccpb.KeyValue{}}
	for seen.revision < store.revision() {
		response, ok := <-events
		if !ok || response.err != nil {
			t.Fatalf("the watch ended: %v", response.err)
		}
		for _, event := range response.Events {
			if event.Kv.ModRevision != seen.revision+1 {
				t.Fatalf("revision %d comes after %d", event.Kv.ModRevision, seen.revision)
			}
			if known := seen.values[string(event.Kv.Key)]; string(known.GetValue()) != string(event.PrevKv.GetValue()) {
				t.Errorf("revision %d: the previous value is %q, not %q", event.Kv.ModRevision, event.PrevKv.GetValue(), known.GetValue())
			}
			seen.apply(row{revision: event.Kv.ModRevision, key: string(event.Kv.Key), value: event.Kv.Value, created: event.Kv.CreateRevision})
		}
	}
	file, err := store.log.loadHead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, other := range map[string]head{"in memory": store.head, "watched": seen} {
		if diff := cmp.Diff(file, other, cmp.AllowUnexported(head{}), cmp.Comparer(sameKeyValue), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s, the state differs from the file: %s", name, diff)
		}
	}
}

func sameKeyValue(a, b *mvccpb.KeyValue) bool {
	return string(a.Key) == string(b.Key) && string(a.Value) == string(b.Value) && a.ModRevision == b.ModRevision && a.CreateRevision == b.CreateRevision
}

// writeAtRandom creates, updates and deletes a few keys. It ignores conflicts.
func writeAtRandom(ctx context.Context, store *Store, random *rand.Rand, rounds int) error {
	for range rounds {
		key := fmt.Sprintf("/registry/%d", random.IntN(8))
		got, err := store.client.Kubernetes.Get(ctx, key, kubernetes.GetOptions{})
		if err != nil {
			return err
		}
		revision := got.KV.GetModRevision()
		if revision > 0 && random.IntN(3) == 0 {
			_, err = store.client.Kubernetes.OptimisticDelete(ctx, key, revision, kubernetes.DeleteOptions{})
		} else {
			_, err = store.client.Kubernetes.OptimisticPut(ctx, key, []byte(fmt.Sprint(random.Int())), revision, kubernetes.PutOptions{})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// A write that was reported as failed but was committed becomes visible.
func TestUncertainWriteIsPublished(t *testing.T) {
	dir := t.TempDir()
	store := testStore(t, dir, "")
	first := put(t, store, "/registry/a", "1", 0)
	written := row{revision: first.Revision + 1, key: "/registry/a", value: []byte("2"), created: first.Revision, previous: first.Revision}
	if err := store.log.append(t.Context(), []row{written}, false); err != nil {
		t.Fatal(err)
	}
	store.writeUncertain.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	events := follow(ctx, store, newSubscription("/registry/a", false), first.Revision)
	got, err := store.client.Kubernetes.Get(ctx, "/registry/a", kubernetes.GetOptions{})
	if err != nil || string(got.KV.Value) != "2" {
		t.Errorf("got %+v, %v", got, err)
	}
	if response := <-events; len(response.Events) != 1 || string(response.Events[0].Kv.Value) != "2" {
		t.Errorf("watched %+v", response)
	}
	if next := put(t, store, "/registry/a", "3", got.KV.ModRevision); !next.Succeeded {
		t.Errorf("the next write: %+v", next)
	}
}

// BenchmarkPut measures a write that waits for the disk, and one that does not.
func BenchmarkPut(b *testing.B) {
	for name, isDurable := range map[string]bool{"durable": true, "derived": false} {
		b.Run(name, func(b *testing.B) {
			store, err := Open(b.Context(), b.TempDir(), reserved(b), func(context.Context) bool { return isDurable })
			closeAtEnd(b, store, err)
			value := []byte(strings.Repeat("x", 2000))
			for i := 0; b.Loop(); i++ {
				if _, err := store.client.Kubernetes.OptimisticPut(b.Context(), fmt.Sprintf("/%d", i), value, 0, kubernetes.PutOptions{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
