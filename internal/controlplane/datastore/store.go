package datastore

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/kubernetes"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

// FileName is the name of the SQLite file in the directory that [Open] gets.
const FileName = filename.Datastore

// Store is an open datastore. Its methods may be called concurrently.
type Store struct {
	// log is the file; nil for a store in memory.
	log *log
	// history is log, or keeps the changes in memory.
	history history
	// reservation belongs to the goroutine that commits; nil for a store in memory.
	reservation *reservation
	// expiry belongs to the goroutine that commits; nil for a store in a file.
	expiry *expiry
	client *kubernetes.Client
	// queue holds the writes that wait for the goroutine that commits.
	queue chan *pendingWrite
	// writeUncertain is set when a write failed but may have been committed.
	writeUncertain atomic.Bool
	// written signals that something was written; it has room for one signal.
	written chan struct{}
	metrics metrics
	ballast *ballast
	// fanOut wakes the watches of clients.
	fanOut *fanOut
	// toWake are the watches of clients that have events of the current batch. It belongs to
	// the goroutine that commits.
	toWake map[*subscription]struct{}
	// isDurable reports whether a write must be on the disk before it is acknowledged. A
	// store in memory ignores it.
	isDurable func(ctx context.Context) bool

	// mutex guards the fields below. Only commits change the head.
	mutex          sync.RWMutex
	head           head
	watches        map[*subscription]struct{}
	closed         bool
	uncheckpointed int
	commitCount    int64
	syncCount      int64
	commitTime     time.Duration

	cancel context.CancelFunc
	// ended is closed when the last commit is done.
	ended chan struct{}
	tasks sync.WaitGroup
}

// history keeps the changes that are not compacted. Its methods may be called
// concurrently, except for append.
type history interface {
	// append writes changes, which are on the disk afterwards if durable is set.
	append(ctx context.Context, rows []row, durable bool) error
	// rangeAt reads the keys in [start, end) at a revision; limit 0 means all.
	rangeAt(ctx context.Context, start, end string, limit, revision int64) ([]*mvccpb.KeyValue, error)
	// changesAfter reads the first changes after a revision and up to another one.
	changesAfter(ctx context.Context, revision, last int64) ([]*clientv3.Event, error)
	lastRevision(ctx context.Context) (int64, error)
	wrapError(doing string, err error) error
	close() error
}

var _ history = (*log)(nil)

// Open opens or creates the datastore in dir. The file reserved records which
// revisions may be in use; it belongs in a directory that outlives dir. A write for whose
// context isDurable returns true is on the disk before it is acknowledged, and survives a
// power cut; nil stands for all writes. An error names the datastore's file, the cause and
// the next step; it is an [*UnusableError] when a retry would fail too.
func Open(ctx context.Context, dir, reserved string, isDurable func(context.Context) bool) (*Store, error) {
	store, err := open(ctx, dir, settings{reserved: reserved, now: time.Now(), isDurable: isDurable})
	return store, classify(err)
}

// settings are the parameters of [Open] and those that only tests set.
type settings struct {
	reserved  string
	isDurable func(context.Context) bool
	// now is the time at which the log is opened.
	now time.Time
	// params are additional SQLite parameters, such as a size limit.
	params string
}

func open(ctx context.Context, dir string, with settings) (*Store, error) {
	path := filepath.Join(dir, FileName)
	if err := check(ctx, path); err != nil {
		return nil, err
	}
	log, err := openLog(ctx, path, with.params)
	if err != nil {
		return nil, err
	}
	reservation := readReservation(with.reserved)
	first, err := log.writeEpoch(ctx, with.now, reservation.upTo)
	if err != nil {
		return nil, errors.Join(err, log.close())
	}
	reservation.reserve(first)
	head, err := log.loadHead(ctx)
	if err != nil {
		return nil, errors.Join(err, log.close())
	}
	s := newStore(log, head)
	s.log, s.reservation, s.ballast = log, reservation, newBallast(dir)
	if with.isDurable != nil {
		s.isDurable = with.isDurable
	}
	run := s.start(ctx)
	s.tasks.Go(func() { s.maintain(run) })
	return s, nil
}

func newStore(history history, head head) *Store {
	return &Store{
		isDurable: func(context.Context) bool { return true },
		history:   history, head: head, queue: make(chan *pendingWrite, maxBatch), written: make(chan struct{}, 1),
		metrics: newMetrics(), watches: map[*subscription]struct{}{},
		fanOut: newFanOut(), toWake: map[*subscription]struct{}{}, ended: make(chan struct{}),
	}
}

// start starts the goroutine that commits. It returns the context of the store's
// goroutines, which ends with the store and not with ctx.
func (s *Store) start(ctx context.Context) context.Context {
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.cancel = cancel
	s.client = &kubernetes.Client{Client: clientv3.NewCtxClient(run)}
	s.client.Kubernetes = operations{s}
	s.client.KV = reader{s}
	s.client.Watcher = unusedWatcher{}
	s.client.Lease = unusedLease{}
	s.tasks.Go(func() {
		defer close(s.ended)
		s.commitLoop(run)
	})
	return run
}

// Ping checks that the file can be read.
func (s *Store) Ping(ctx context.Context) error {
	_, err := s.history.lastRevision(ctx)
	return err
}

// Close ends every watch and closes the file. It returns when the file is closed,
// or with an error when ctx ends before that.
func (s *Store) Close(ctx context.Context) error {
	s.mutex.Lock()
	s.closed = true
	s.mutex.Unlock()
	s.cancel()
	closed := make(chan error, 1)
	go func() {
		s.tasks.Wait()
		closed <- s.history.close()
	}()
	select {
	case err := <-closed:
		return err
	case <-ctx.Done():
		return fmt.Errorf("close the datastore: %w", ctx.Err())
	}
}
