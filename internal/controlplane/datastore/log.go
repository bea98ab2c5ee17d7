package datastore

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"go.etcd.io/etcd/api/v3/mvccpb"
)

// format is the version of the tables, kept in SQLite's user_version.
const format = 1

// tables creates the log, with one row per change that is not compacted, and the
// table "forgotten", with the compact revision.
const tables = `
CREATE TABLE IF NOT EXISTS log (
	revision INTEGER PRIMARY KEY,
	key      TEXT NOT NULL,
	value    BLOB,             -- NULL: deleted
	created  INTEGER NOT NULL, -- revision at which the key was created
	previous INTEGER NOT NULL  -- previous revision of the key; 0: it did not exist
);
CREATE INDEX IF NOT EXISTS log_key ON log (key, revision);
CREATE TABLE IF NOT EXISTS forgotten (before INTEGER NOT NULL);
INSERT INTO forgotten SELECT 0 WHERE NOT EXISTS (SELECT * FROM forgotten);
PRAGMA user_version = 1;`

// busyTimeout is how many milliseconds a statement waits for another one.
const busyTimeout = "10000"

// maxBatch limits how many changes one statement writes.
const maxBatch = 32

// log stores every change in a table of one SQLite file.
type log struct {
	path string
	// writer has one connection, used by the goroutine that commits; reader reads
	// history at the same time.
	writer, reader *sql.DB
	// durable is set while the writer's commits wait for the disk.
	durable bool
	// inserts has a statement for each number of rows, prepared on first use.
	inserts [maxBatch + 1]*sql.Stmt
	// compactRevision is the revision before which history may be incomplete.
	compactRevision atomic.Int64
	// compactedTo is the revision up to which compaction is complete.
	compactedTo int64
	// compacting is held by a running compaction, so that there is only one.
	compacting sync.Mutex
}

// row is one change.
type row struct {
	revision int64
	key      string
	// value is nil for a deletion.
	value             []byte
	created, previous int64
}

// openLog opens or creates the log in a file that passed check. Its errors name the
// file.
func openLog(ctx context.Context, path, params string) (*log, error) {
	// Commits never checkpoint, so that no other write waits for the disk. A new connection
	// starts in the safe mode, which setDurable leaves.
	const pragmas = "_pragma=busy_timeout(" + busyTimeout + ")&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
		"&_pragma=wal_autocheckpoint(0)&_pragma=journal_size_limit(" + walKept + ")"
	source := (&url.URL{Scheme: "file", Path: path, RawQuery: pragmas + params}).String()
	l := &log{path: path, durable: true}
	var err error
	if l.writer, err = sql.Open("sqlite", source); err != nil {
		return nil, l.wrapError("open", err)
	}
	l.writer.SetMaxOpenConns(1)
	if l.reader, err = sql.Open("sqlite", source); err != nil {
		return nil, errors.Join(l.wrapError("open", err), l.writer.Close())
	}
	l.reader.SetMaxOpenConns(4)
	l.reader.SetMaxIdleConns(1)
	if err := l.prepare(ctx); err != nil {
		return nil, errors.Join(l.wrapError("open", err), l.close())
	}
	return l, nil
}

func (l *log) prepare(ctx context.Context) error {
	if _, err := l.writer.ExecContext(ctx, tables); err != nil {
		return err
	}
	var before int64
	if err := l.writer.QueryRowContext(ctx, "SELECT before FROM forgotten").Scan(&before); err != nil {
		return err
	}
	l.compactRevision.Store(before)
	return nil
}

func (l *log) close() error { return errors.Join(l.writer.Close(), l.reader.Close()) }

// append writes up to maxBatch changes, all or none. After an error it is unknown
// whether they were written. If durable is set, they and all earlier changes are on the disk
// afterwards. ctx should not be cancellable: that costs a goroutine per write, and cannot
// interrupt the disk.
func (l *log) append(ctx context.Context, rows []row, durable bool) error {
	if err := l.setDurable(ctx, durable); err != nil {
		return err
	}
	insert := l.inserts[len(rows)]
	if insert == nil {
		more := strings.Repeat(", (?,?,?,?,?)", len(rows)-1)
		var err error
		//nolint:gosec // only question marks are concatenated
		insert, err = l.writer.PrepareContext(ctx, "INSERT INTO log (revision, key, value, created, previous) VALUES (?,?,?,?,?)"+more)
		if err != nil {
			return err
		}
		l.inserts[len(rows)] = insert
	}
	arguments := make([]any, 0, 5*len(rows))
	for _, r := range rows {
		arguments = append(arguments, r.revision, r.key, r.value, r.created, r.previous)
	}
	_, err := insert.ExecContext(ctx, arguments...)
	return err
}

// setDurable decides whether the writer's next commits wait until the write-ahead log is on
// the disk.
func (l *log) setDurable(ctx context.Context, durable bool) error {
	if l.durable == durable {
		return nil
	}
	statement := "PRAGMA synchronous = NORMAL"
	if durable {
		statement = "PRAGMA synchronous = FULL"
	}
	if _, err := l.writer.ExecContext(ctx, statement); err != nil {
		return err
	}
	l.durable = durable
	return nil
}

// keyValue is the row in etcd's type.
func (r row) keyValue() *mvccpb.KeyValue {
	return &mvccpb.KeyValue{Key: []byte(r.key), Value: r.value, CreateRevision: r.created, ModRevision: r.revision}
}
