package datastore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"go.etcd.io/etcd/client/v3/kubernetes"
)

func TestEpoch(t *testing.T) {
	now := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		now  time.Time
		used []int64
		want int64
	}{
		"the clock":              {now, []int64{0, 5}, now.UnixMicro()},
		"more was used":          {now, []int64{now.UnixMicro() + 7, 0}, now.UnixMicro() + 8},
		"more was reserved":      {now, []int64{0, now.UnixMicro() + 7}, now.UnixMicro() + 8},
		"a clock before 1970":    {time.Unix(-5, 0), []int64{0}, 1},
		"a clock that was reset": {time.Unix(0, 0), []int64{12, 44}, 45},
	} {
		if got := epoch(test.now, test.used...); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
	const safe = 1 << 53
	if last := time.Date(2255, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro(); last > safe {
		t.Errorf("%d is more than JavaScript counts", last)
	}
}

// session opens the store, writes n values to a key, and returns the revision of the
// last value and the epoch of the opening.
func session(t *testing.T, dir, reserved string, n int) (last, epoch int64) {
	t.Helper()
	store, err := Open(t.Context(), dir, reserved, nil)
	if err != nil {
		t.Fatal(err)
	}
	epoch = store.revision()
	last = store.head.values["/registry/a"].GetModRevision()
	for i := range n {
		last = put(t, store, "/registry/a", fmt.Sprint(epoch, i), last).Revision
	}
	if err := store.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return last, epoch
}

// statusOf resumes a list and a watch from a revision, and returns "ok", "expired" or
// "future".
func statusOf(t *testing.T, store *Store, revision int64) string {
	t.Helper()
	_, err := store.client.Kubernetes.List(t.Context(), "/registry/", kubernetes.ListOptions{Revision: revision})
	if errors.Is(err, rpctypes.ErrFutureRev) {
		return "future"
	}
	watch := <-follow(t.Context(), store, newSubscription("/registry/", true), revision)
	switch {
	case errors.Is(err, rpctypes.ErrCompacted) && errors.Is(watch.err, rpctypes.ErrGRPCCompacted):
		return "expired"
	case err == nil && watch.err == nil:
		return "ok"
	}
	return fmt.Sprintf("list %v, watch %v", err, watch.err)
}

// Row F6: a new log reuses no revision of an earlier log at the same path.
func TestNewLogExpiresOldRevisions(t *testing.T) {
	used := reserved(t)
	last, _ := session(t, t.TempDir(), used, 30)
	store := testStoreAt(t, t.TempDir(), used)
	if store.revision() <= last {
		t.Fatalf("the new log is at %d, the old one was at %d", store.revision(), last)
	}
	put(t, store, "/registry/a", "new", 0)
	for _, revision := range []int64{last, last - 1, 1} {
		if got := statusOf(t, store, revision); got != "expired" {
			t.Errorf("revision %d of the old log: %s", revision, got)
		}
	}
}

// Row F6: after an older copy replaced the log, the lost revisions are expired.
func TestOlderCopyExpiresLostRevisions(t *testing.T) {
	dir, copied, used := t.TempDir(), t.TempDir(), reserved(t)
	common, _ := session(t, dir, used, 10)
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	lost, epoch := session(t, dir, used, 10)
	if _, again := session(t, copied, used, 1); again <= lost {
		t.Fatalf("the copy is at %d, the log that was lost at %d", again, lost)
	}
	store := testStoreAt(t, copied, used)
	put(t, store, "/registry/b", "new", 0)
	for revision, want := range map[int64]string{common: "ok", epoch: "expired", lost: "expired", lost - 1: "expired", lost + 3_600_000_000: "future"} {
		if got := statusOf(t, store, revision); got != want {
			t.Errorf("revision %d: %s, want %s", revision, got, want)
		}
	}
}

func TestRestartKeepsRevisions(t *testing.T) {
	dir, used := t.TempDir(), reserved(t)
	first, began := session(t, dir, used, 5)
	second, _ := session(t, dir, used, 5)
	store := testStoreAt(t, dir, used)
	put(t, store, "/registry/b", "new", 0)
	for _, revision := range []int64{began, first, second - 1, second} {
		if got := statusOf(t, store, revision); got != "ok" {
			t.Errorf("revision %d: %s", revision, got)
		}
	}
}

// Reserved revisions keep revisions growing after the clock was set back.
func TestReservationSurvivesClockReset(t *testing.T) {
	path := reserved(t)
	ahead := time.Now().Add(1000 * time.Hour).UnixMicro()
	r := readReservation(path)
	r.reserve(ahead)
	r.reserve(ahead + 5)
	if again := readReservation(path); again.upTo != ahead+reserveAhead {
		t.Fatalf("%d is reserved, want %d", again.upTo, ahead+reserveAhead)
	}
	if store := testStoreAt(t, t.TempDir(), path); store.revision() != ahead+reserveAhead+1 {
		t.Errorf("the log begins at %d", store.revision())
	}
}

func TestDamagedReservationIgnored(t *testing.T) {
	for _, text := range []string{"", "x", "-3", "99999999999999999999", "9223372036854775807"} {
		path := filepath.Join(t.TempDir(), "revision")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := readReservation(path); r.upTo != 0 {
			t.Errorf("%q reserves %d", text, r.upTo)
		}
	}
}
