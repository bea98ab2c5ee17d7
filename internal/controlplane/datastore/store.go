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
	"github.com/k3s-io/kine/pkg/logstructured"
	"github.com/k3s-io/kine/pkg/logstructured/sqllog"
	"github.com/k3s-io/kine/pkg/server"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/kubernetes"
)

// FileName is the name of the SQLite file in the directory that [Open] gets.
const FileName = "state.db"

// dsn is how kine opens the file. Startup VACUUM is off because check does it
// when it is worth the time.
const dsn = "?_journal_mode=WAL&_synchronous=NORMAL&_busy_timeout=10000&_txlock=immediate&_kine_disable_startup_vacuum=1"

const (
	// pollInterval only matters for a revision whose notification was lost;
	// every write of this process wakes the log's reader by itself.
	pollInterval = 5 * time.Second
	// compactInterval and compactRetain bound how far back a watch can resume:
	// what is older than the first and not among the last of the second goes.
	compactInterval = 5 * time.Minute
	compactRetain   = 1000
)

// Store is an open datastore. Its methods may be called concurrently.
type Store struct {
	log     *sqllog.SQLLog
	watches *logstructured.LogStructured
	client  *kubernetes.Client

	// write serialises transactions: SQLite has one writer, and a second one
	// would find it busy and sleep, where a mutex wakes it in order.
	write sync.Mutex

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
	s := &Store{cancel: cancel}
	config := &drivers.Config{
		DataSourceName:   path + dsn + params,
		PollInterval:     pollInterval,
		PollBatchSize:    500,
		CompactInterval:  compactInterval,
		CompactTimeout:   5 * time.Second,
		CompactMinRetain: compactRetain,
		CompactBatchSize: 1000,
		// Idle connections are kept: opening one costs more than a query.
		ConnectionPoolConfig: generic.ConnectionPoolConfig{MaxIdle: 4, MaxOpen: 8},
	}
	_, dialect, err := sqlite.NewVariant(run, &s.tasks, "sqlite3", config)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("open the datastore %s: %w (%s)", path, err, advice)
	}
	s.log = sqllog.New(dialect, &s.tasks, config)
	s.watches = logstructured.New(s.log)
	if err := s.log.Start(run); err != nil {
		cancel()
		return nil, fmt.Errorf("start the log in the datastore %s: %w (%s)", path, err, advice)
	}
	s.client = &kubernetes.Client{Client: clientv3.NewCtxClient(run)}
	s.client.Kubernetes = operations{s}
	s.client.KV = reader{s}
	s.client.Watcher = watcher{s}
	return s, nil
}

// Ping reads from the file.
func (s *Store) Ping(ctx context.Context) error {
	_, err := s.log.DbSize(ctx)
	return err
}

// Close ends every watch and closes the file. It returns when the file is closed
// or ctx ends.
func (s *Store) Close(ctx context.Context) error {
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

// latest returns the newest row of key, a deletion included, or nil.
func (s *Store) latest(ctx context.Context, key string, deletions bool) (*server.Event, int64, error) {
	batch, err := s.log.List(ctx, key, "", 1, 0, deletions, false)
	if err != nil || len(batch.Events) == 0 {
		return nil, batch.CurrentRev, err
	}
	return batch.Events[0], batch.CurrentRev, nil
}
