package datastore

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/kubernetes"
)

// FileName is the name of the SQLite file in the directory that [Open] gets.
const FileName = "state.db"

// Store is an open datastore. Its methods may be called concurrently.
type Store struct {
	log *log
	// reservation is used by the goroutine that commits.
	reservation *reservation
	client      *kubernetes.Client
	// queue are the writes that wait for the goroutine that commits.
	queue chan *pending
	// unsure is set when a write failed and may have taken place nevertheless.
	unsure atomic.Bool
	// written has room for one note that something was.
	written chan struct{}
	metrics metrics
	ballast *ballast

	// mutex guards what is below. The head is only changed by commits.
	mutex          sync.RWMutex
	head           head
	watches        map[*subscription]struct{}
	closed         bool
	uncheckpointed int
	commitCount    int64
	commitTime     time.Duration

	cancel context.CancelFunc
	// ended is closed when nothing is committed any more.
	ended chan struct{}
	tasks sync.WaitGroup
}

// Open opens or creates the datastore in dir. The file reserved remembers which
// revisions were used; it belongs in a directory that outlives dir. An error names
// the datastore's file, the cause and the next step; it is an [*UnusableError] when
// another try would fail too.
func Open(ctx context.Context, dir, reserved string) (*Store, error) {
	store, err := open(ctx, dir, settings{reserved: reserved, now: time.Now()})
	return store, classified(err)
}

// settings are what tests set otherwise.
type settings struct {
	reserved string
	// now is when the log is opened.
	now time.Time
	// params are more parameters of SQLite, such as a bound on the size.
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
	first, err := log.begin(ctx, with.now, reservation.upTo)
	if err != nil {
		return nil, errors.Join(err, log.close())
	}
	reservation.reserve(first)
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &Store{
		log: log, reservation: reservation, queue: make(chan *pending, rowsAtOnce), written: make(chan struct{}, 1),
		metrics: newMetrics(), watches: map[*subscription]struct{}{}, cancel: cancel, ended: make(chan struct{}),
		ballast: newBallast(dir),
	}
	if s.head, err = log.latest(ctx); err != nil {
		cancel()
		return nil, errors.Join(err, log.close())
	}
	s.client = &kubernetes.Client{Client: clientv3.NewCtxClient(run)}
	s.client.Kubernetes = operations{s}
	s.client.KV = reader{s}
	s.client.Watcher = unusedWatcher{}
	s.tasks.Go(func() {
		defer close(s.ended)
		s.commits(run)
	})
	s.tasks.Go(func() { s.tidy(run) })
	return s, nil
}

// Ping reads from the file.
func (s *Store) Ping(ctx context.Context) error {
	_, err := s.log.newest(ctx)
	return err
}

// Close ends every watch and closes the file. It returns when the file is closed
// or ctx ends.
func (s *Store) Close(ctx context.Context) error {
	s.mutex.Lock()
	s.closed = true
	s.mutex.Unlock()
	s.cancel()
	closed := make(chan error, 1)
	go func() {
		s.tasks.Wait()
		closed <- s.log.close()
	}()
	select {
	case err := <-closed:
		return err
	case <-ctx.Done():
		return fmt.Errorf("close the datastore: %w", ctx.Err())
	}
}
