package datastore

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/k3s-io/kine/pkg/drivers"
	"github.com/k3s-io/kine/pkg/drivers/generic"
	"github.com/k3s-io/kine/pkg/drivers/sqlite"
	"github.com/k3s-io/kine/pkg/logstructured/sqllog"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/kubernetes"
)

// FileName is the name of the SQLite file in the directory that [Open] gets.
const FileName = "state.db"

// dsn is how kine opens the file. Startup VACUUM is off because check does it
// when it is worth the time.
const dsn = "?_journal_mode=WAL&_synchronous=NORMAL&_busy_timeout=10000&_txlock=immediate&_kine_disable_startup_vacuum=1"

// writeTimeout bounds a write, which is not given up when its caller goes away:
// whether it took place must be known.
const writeTimeout = 15 * time.Second

// Store is an open datastore. Its methods may be called concurrently.
type Store struct {
	log    *sqllog.SQLLog
	client *kubernetes.Client

	// mutex orders writes and their announcements, and guards what is below.
	mutex   sync.RWMutex
	head    head
	watches map[*subscription]struct{}
	closed  bool
	// unsure is set when a write failed and may have taken place nevertheless.
	unsure bool

	cancel context.CancelFunc
	tasks  sync.WaitGroup
}

// Open opens or creates the datastore in dir. An error names the file, says what
// is wrong with it and what to do next.
func Open(ctx context.Context, dir string) (*Store, error) {
	return open(ctx, dir, "")
}

// open adds SQLite parameters, for tests that want a small disk.
func open(ctx context.Context, dir, params string) (*Store, error) {
	path := filepath.Join(dir, FileName)
	if err := check(ctx, path); err != nil {
		return nil, err
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &Store{cancel: cancel, watches: map[*subscription]struct{}{}}
	if err := s.load(run, path+dsn+params); err != nil {
		cancel()
		s.tasks.Wait()
		return nil, fmt.Errorf("read the datastore %s: %w (%s)", path, err, advice)
	}
	s.client = &kubernetes.Client{Client: clientv3.NewCtxClient(run)}
	s.client.Kubernetes = operations{s}
	s.client.KV = reader{s}
	s.client.Watcher = watcher{s}
	s.tasks.Go(func() { s.compact(run) })
	return s, nil
}

func (s *Store) load(ctx context.Context, source string) error {
	config := &drivers.Config{
		DataSourceName:   source,
		CompactTimeout:   5 * time.Second,
		CompactMinRetain: compactRetain,
		CompactBatchSize: 1000,
		// Idle connections are kept: opening one costs more than a query.
		ConnectionPoolConfig: generic.ConnectionPoolConfig{MaxIdle: 2, MaxOpen: 8},
	}
	_, dialect, err := sqlite.NewVariant(ctx, &s.tasks, "sqlite3", config)
	if err != nil {
		return err
	}
	s.log = sqllog.New(dialect, &s.tasks, config)
	if err := s.log.Start(ctx); err != nil {
		return err
	}
	batch, err := s.log.List(ctx, prefix+"/", prefix+"0", 0, 0, false, false)
	if err != nil {
		return err
	}
	s.head = newHead(batch)
	return nil
}

// Ping reads from the file.
func (s *Store) Ping(ctx context.Context) error {
	_, err := s.log.DbSize(ctx)
	return err
}

// Close ends every watch and closes the file. It returns when the file is closed
// or ctx ends.
func (s *Store) Close(ctx context.Context) error {
	s.mutex.Lock()
	s.closed = true
	s.mutex.Unlock()
	s.cancel()
	closed := make(chan struct{})
	go func() {
		s.tasks.Wait()
		close(closed)
	}()
	select {
	case <-closed:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("close the datastore: %w", ctx.Err())
	}
}
