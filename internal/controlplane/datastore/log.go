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

// format is the version of what tables makes, kept in SQLite's user_version.
const format = 1

// tables has one row for each change of a key that has not been forgotten.
const tables = `
CREATE TABLE IF NOT EXISTS log (
	revision INTEGER PRIMARY KEY,
	key      TEXT NOT NULL,
	value    BLOB,             -- NULL: deleted
	created  INTEGER NOT NULL, -- revision at which the key came into being
	previous INTEGER NOT NULL  -- revision of the key before; 0: it was not there
);
CREATE INDEX IF NOT EXISTS log_key ON log (key, revision);
CREATE TABLE IF NOT EXISTS forgotten (before INTEGER NOT NULL);
INSERT INTO forgotten SELECT 0 WHERE NOT EXISTS (SELECT * FROM forgotten);
PRAGMA user_version = 1;`

// busyTimeout is how many milliseconds a statement waits for another one.
const busyTimeout = "10000"

// rowsAtOnce bounds how many changes one statement writes.
const rowsAtOnce = 32

// log keeps every change in a table of one SQLite file.
type log struct {
	path string
	// writer has one connection, of the goroutine that commits; reader reads the
	// past meanwhile.
	writer, reader *sql.DB
	// inserts are prepared for each number of rows, when first used.
	inserts [rowsAtOnce + 1]*sql.Stmt
	// forgotten is the revision before which the past may be incomplete.
	forgotten atomic.Int64
	// cleaned is the revision up to which that is through.
	cleaned int64
	// forgetting is held by the one call of forget that may run at a time.
	forgetting sync.Mutex
}

// row is one change.
type row struct {
	revision int64
	key      string
	// value is nil for a deletion.
	value             []byte
	created, previous int64
}

// openLog opens or makes the log in a file that check has found usable. Its errors
// name the file.
func openLog(ctx context.Context, path, params string) (*log, error) {
	// The one who commits never checkpoints, so that no write waits for the disk.
	const pragmas = "_pragma=busy_timeout(" + busyTimeout + ")&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=wal_autocheckpoint(0)"
	source := (&url.URL{Scheme: "file", Path: path, RawQuery: pragmas + params}).String()
	l := &log{path: path}
	var err error
	if l.writer, err = sql.Open("sqlite", source); err != nil {
		return nil, l.failed("open", err)
	}
	l.writer.SetMaxOpenConns(1)
	if l.reader, err = sql.Open("sqlite", source); err != nil {
		return nil, errors.Join(l.failed("open", err), l.writer.Close())
	}
	l.reader.SetMaxOpenConns(4)
	l.reader.SetMaxIdleConns(1)
	if err := l.prepare(ctx); err != nil {
		return nil, errors.Join(l.failed("open", err), l.close())
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
	l.forgotten.Store(before)
	return nil
}

func (l *log) close() error { return errors.Join(l.writer.Close(), l.reader.Close()) }

// append writes up to rowsAtOnce changes, all or none. An error may also mean that
// they were written and nobody can tell. A context that can be cancelled would cost
// a goroutine for each write, and cannot interrupt the disk.
func (l *log) append(ctx context.Context, rows []row) error {
	insert := l.inserts[len(rows)]
	if insert == nil {
		more := strings.Repeat(", (?,?,?,?,?)", len(rows)-1)
		var err error
		insert, err = l.writer.PrepareContext(ctx,
			"INSERT INTO log (revision, key, value, created, previous) VALUES (?,?,?,?,?)"+more) //nolint:gosec // question marks are all that is put together
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

// keyValue is the row as the storage wants it.
func (r row) keyValue() *mvccpb.KeyValue {
	return &mvccpb.KeyValue{Key: []byte(r.key), Value: r.value, CreateRevision: r.created, ModRevision: r.revision}
}
