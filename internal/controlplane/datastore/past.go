package datastore

import (
	"context"
	"database/sql"
	"errors"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// latest is the state of all keys, and the revision of the last change.
func (l *log) latest(ctx context.Context) (head, error) {
	h := head{revision: max(1, l.forgotten.Load()), values: map[string]*mvccpb.KeyValue{}}
	err := l.query(ctx, func(r row) {
		h.revision = max(h.revision, r.revision)
		if r.value != nil {
			h.values[r.key] = r.keyValue()
			h.keys = append(h.keys, r.key)
		}
	}, `SELECT revision, key, value, created, previous FROM log
		WHERE revision IN (SELECT max(revision) FROM log GROUP BY key) ORDER BY key`)
	return h, err
}

// between is the state of the keys in [start, end) at a revision, in order: up to
// limit of them (0: all).
func (l *log) between(ctx context.Context, start, end string, limit, revision int64) ([]*mvccpb.KeyValue, error) {
	if limit == 0 {
		limit = -1 // which is SQLite's word for all
	}
	var kvs []*mvccpb.KeyValue
	err := l.query(ctx, func(r row) { kvs = append(kvs, r.keyValue()) },
		`SELECT revision, key, value, created, previous FROM log AS l
		WHERE key >= ?1 AND key < ?2 AND value IS NOT NULL
			AND revision = (SELECT max(revision) FROM log WHERE key = l.key AND revision <= ?3)
		ORDER BY key LIMIT ?4`, start, end, revision, limit)
	return kvs, l.known(revision, err)
}

// after are the changes after a revision up to another one, oldest first, each
// with what was there before.
func (l *log) after(ctx context.Context, revision, last int64) ([]*clientv3.Event, error) {
	rows, err := l.reader.QueryContext(ctx,
		`SELECT l.revision, l.key, l.value, l.created, l.previous, p.value, p.created FROM log AS l
		LEFT JOIN log AS p ON p.revision = l.previous AND l.previous > 0
		WHERE l.revision > ? AND l.revision <= ? ORDER BY l.revision`, revision, last)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // its error is in rows.Err too
	var events []*clientv3.Event
	for rows.Next() {
		var r, before row
		var created sql.NullInt64
		if err := rows.Scan(&r.revision, &r.key, &r.value, &r.created, &r.previous, &before.value, &created); err != nil {
			return nil, err
		}
		event := &clientv3.Event{Type: mvccpb.PUT, Kv: r.keyValue()}
		if r.value == nil {
			event.Type = mvccpb.DELETE
		}
		if r.previous > 0 {
			before.revision, before.key, before.created = r.previous, r.key, created.Int64
			event.PrevKv = before.keyValue()
		}
		events = append(events, event)
	}
	return events, l.known(revision, rows.Err())
}

// known says so when what was read of a revision may have been forgotten while or
// before it was read.
func (l *log) known(revision int64, err error) error {
	if err == nil && revision < l.forgotten.Load() {
		return rpctypes.ErrGRPCCompacted
	}
	return err
}

func (l *log) query(ctx context.Context, take func(row), query string, arguments ...any) error {
	rows, err := l.reader.QueryContext(ctx, query, arguments...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // its error is in rows.Err too
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.revision, &r.key, &r.value, &r.created, &r.previous); err != nil {
			return err
		}
		take(r)
	}
	return rows.Err()
}

// forget removes the changes up to a revision that have been superseded by then.
func (l *log) forget(ctx context.Context, revision int64) error {
	if revision <= l.forgotten.Load() {
		return nil // nothing has been written since
	}
	if _, err := l.writer.ExecContext(ctx, "UPDATE forgotten SET before = ?", revision); err != nil {
		return err
	}
	l.forgotten.Store(revision)
	for done := int64(0); ; {
		// Oldest first: a deletion goes after all that it supersedes, or with it.
		var last sql.NullInt64
		err := l.writer.QueryRowContext(ctx, `SELECT max(revision) FROM (`+superseded+`)`, done, revision, forgetAtOnce).Scan(&last)
		if err != nil || !last.Valid {
			return err
		}
		if _, err := l.writer.ExecContext(ctx, `DELETE FROM log WHERE revision IN (`+superseded+`)`, done, revision, forgetAtOnce); err != nil {
			return err
		}
		done = last.Int64
	}
}

// superseded are the next ?3 changes after ?1 that are not needed to know how
// everything was at ?2.
const superseded = `SELECT revision FROM log AS l WHERE revision > ?1 AND revision <= ?2 AND (value IS NULL
	OR EXISTS (SELECT * FROM log WHERE key = l.key AND revision > l.revision AND revision <= ?2))
	ORDER BY revision LIMIT ?3`

// forgetAtOnce is how many changes are removed by one statement, which other
// writes wait for: some milliseconds.
const forgetAtOnce = 200

// checkpoint copies what was committed from the write-ahead log into the file.
// Reads and writes go on meanwhile.
func (l *log) checkpoint(ctx context.Context) error {
	_, err := l.reader.ExecContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)")
	return err
}

var errClosed = errors.New("the datastore is closed")
