//go:build linux

package datastore

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/client/v3/kubernetes"
	"golang.org/x/sync/errgroup"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit/powercut"
)

const (
	// cutDirectory is the environment variable that makes TestPowerCutWriter write to a
	// datastore in a directory.
	cutDirectory = "RDD_TEST_POWERCUT"
	// answersFile has one line for each write that was answered.
	answersFile, reservedFile = "answers", "revision"
)

var powerCuts = flag.Int("cuts", 100, "moments at which TestPowerCut cuts the power")

// answer is a write that was begun, or answered. Its value is empty for a deletion.
type answer struct {
	Key, Value string
	// Revision is 0 for a write that was begun.
	Revision  int64
	IsDerived bool
}

type derivedKey struct{}

func derived(ctx context.Context) context.Context {
	return context.WithValue(ctx, derivedKey{}, true)
}

func isNotDerived(ctx context.Context) bool { return ctx.Value(derivedKey{}) == nil }

// TestPowerCutWriter is no test: it is the process whose files [TestPowerCut] records.
func TestPowerCutWriter(t *testing.T) {
	dir := os.Getenv(cutDirectory)
	if dir == "" {
		t.Skip("it belongs to TestPowerCut")
	}
	store, err := Open(t.Context(), dir, filepath.Join(dir, reservedFile), isNotDerived)
	closeAtEnd(t, store, err)
	answers, err := os.OpenFile(filepath.Join(dir, answersFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	report := func(a answer) error {
		line, err := json.Marshal(a)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		_, err = answers.Write(append(line, '\n'))
		return err
	}
	group, ctx := errgroup.WithContext(t.Context())
	for writer := range 6 {
		group.Go(func() error { return writeForPowerCut(ctx, store, writer, report) })
	}
	group.Go(func() error {
		pauses := time.NewTicker(10 * time.Millisecond) // maintenance runs beside the writes
		defer pauses.Stop()
		for range 10 {
			<-pauses.C
			if _, err := store.log.checkpoint(ctx, true); err != nil {
				return err
			}
			if err := store.compactTo(ctx, store.revision()); err != nil {
				return err
			}
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

// writeForPowerCut writes, and sometimes deletes, keys of its own. Half of the writers make
// derived writes.
func writeForPowerCut(ctx context.Context, store *Store, writer int, report func(answer) error) error {
	a := answer{IsDerived: writer%2 == 0}
	if a.IsDerived {
		ctx = derived(ctx)
	}
	revisions := map[string]int64{}
	for i := range 100 {
		a.Key, a.Value, a.Revision = fmt.Sprintf("/registry/%d/%d", writer, i%7), fmt.Sprintf("%0*d", 1+50*(i%30), i), 0
		expected := revisions[a.Key]
		if i%11 == 10 && expected != 0 {
			a.Value = ""
		}
		if err := report(a); err != nil {
			return err
		}
		var err error
		a.Revision, err = a.make(ctx, store, expected)
		revisions[a.Key] = a.Revision
		if a.Value == "" {
			revisions[a.Key] = 0
		}
		if err := errors.Join(err, report(a)); err != nil {
			return err
		}
	}
	return nil
}

// make makes a write, and returns its revision.
func (a answer) make(ctx context.Context, store *Store, expected int64) (int64, error) {
	var (
		operations = store.client.Kubernetes
		isDone     bool
		revision   int64
		err        error
	)
	if a.Value == "" {
		var r kubernetes.DeleteResponse
		r, err = operations.OptimisticDelete(ctx, a.Key, expected, kubernetes.DeleteOptions{})
		isDone, revision = r.Succeeded, r.Revision
	} else {
		var r kubernetes.PutResponse
		r, err = operations.OptimisticPut(ctx, a.Key, []byte(a.Value), expected, kubernetes.PutOptions{})
		isDone, revision = r.Succeeded, r.Revision
	}
	if err == nil && !isDone {
		err = fmt.Errorf("%s is not at revision %d", a.Key, expected)
	}
	return revision, err
}

// Whenever the power is cut, no acknowledged write of a user is lost, the datastore opens and
// is not damaged, and its revisions grow, also if the clock was set back.
func TestPowerCut(t *testing.T) {
	dir := t.TempDir()
	record := powercut.Mount(t, dir)
	writer := exec.Command(os.Args[0], "-test.run=^TestPowerCutWriter$", "-test.count=1")
	writer.Env = append(os.Environ(), cutDirectory+"="+dir)
	if output, err := writer.CombinedOutput(); err != nil {
		t.Fatalf("the writer failed: %v\n%s", err, output)
	}
	seed := rand.Uint64()
	t.Logf("seed %d: %d cuts within %d steps", seed, *powerCuts, record.Len())
	random := rand.New(rand.NewPCG(seed, 0))
	moments := make([]int, *powerCuts)
	for i := range moments {
		moments[i] = random.IntN(record.Len() + 1)
	}
	slices.Sort(moments)
	replay, lost := record.NewReplay(), 0
	for _, moment := range moments {
		replay.Advance(moment)
		derivedLost, err := judgePowerCut(t, replay, random)
		if err != nil {
			t.Fatalf("seed %d, power cut after %d steps: %v", seed, moment, err)
		}
		lost += derivedLost
	}
	t.Logf("%d derived writes were lost", lost)
	if lost == 0 {
		t.Error("no cut has lost a derived write: the test cannot see a loss")
	}
}

// judgePowerCut opens what a power cut has left. It returns the number of derived writes that
// are lost, which is legal.
func judgePowerCut(t *testing.T, replay *powercut.Replay, random *rand.Rand) (lost int, err error) {
	dir, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if err := replay.Cut(random, dir); err != nil {
		return 0, err
	}
	store, err := open(t.Context(), dir, settings{reserved: filepath.Join(dir, reservedFile), now: time.UnixMicro(1)})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, store.Close(context.WithoutCancel(t.Context()))) }()
	histories, last, err := readAnswers(replay.Current(answersFile))
	if now := store.revision(); err == nil && now <= last {
		err = fmt.Errorf("revision %d was answered, and now it is %d", last, now)
	}
	if err != nil {
		return 0, err
	}
	for key, h := range histories {
		kv, _, err := store.get(t.Context(), key, 0)
		switch {
		case err != nil:
			return 0, err
		case h.answered.holds(kv) || h.isBegun && h.begun.Value == valueOf(kv):
		case h.answered.IsDerived:
			lost++
		default:
			return 0, fmt.Errorf("%+v was answered, and there is %q", h.answered, valueOf(kv))
		}
	}
	problems, err := Integrity(t.Context(), filepath.Join(dir, FileName))
	if len(problems) > 0 {
		err = fmt.Errorf("the datastore is damaged: %v", problems)
	}
	return lost, err
}

// lastWrites are the last write of a key that was answered, and one that was begun after it.
type lastWrites struct {
	answered, begun answer
	isBegun         bool
}

// readAnswers returns the last writes of each key, and the highest revision that was answered.
func readAnswers(lines []byte) (all map[string]lastWrites, last int64, err error) {
	all = map[string]lastWrites{}
	for line := range bytes.Lines(lines) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break // the power was cut while it was written
		}
		var a answer
		if err := json.Unmarshal(line, &a); err != nil {
			return nil, 0, fmt.Errorf("read the answer %q: %w", line, err)
		}
		h := all[a.Key]
		if h.isBegun = a.Revision == 0; h.isBegun {
			h.begun = a
		} else {
			h.answered = a
		}
		all[a.Key], last = h, max(last, a.Revision)
	}
	return all, last, nil
}

// holds reports whether a key is as a write has left it.
func (a answer) holds(kv *mvccpb.KeyValue) bool {
	return a.Value == valueOf(kv) && (kv == nil || kv.ModRevision == a.Revision)
}

// valueOf returns the value of a key; empty for none.
func valueOf(kv *mvccpb.KeyValue) string {
	if kv == nil {
		return ""
	}
	return string(kv.Value)
}
