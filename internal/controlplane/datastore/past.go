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
	h := head{revision: l.forgotten.Load(), values: map[string]*mvccpb.KeyValue{}}
	err := l.query(ctx, func(r row) {
		h.revision = max(h.revision, r.revision)
		if r.value != nil && r.key != epochKey {
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
	return kvs, l.known(ctx, revision, err)
}

// after are the changes after a revision up to another one, oldest first, each
// with what was there before.
func (l *log) after(ctx context.Context, revision, last int64) ([]*clientv3.Event, error) {
	rows, err := l.reader.QueryContext(ctx,
		`SELECT l.revision, l.key, l.value, l.created, l.previous, p.value, p.created FROM log AS l
		LEFT JOIN log AS p ON p.revision = l.previous AND l.previous > 0
		WHERE l.revision > ? AND l.revision <= ? ORDER BY l.revision`, revision, last)
	if err != nil {
		return nil, l.failed("read", err)
	}
	defer func() { _ = rows.Close() }() // its error is in rows.Err too
	var events []*clientv3.Event
	for rows.Next() {
		var r, before row
		var created sql.NullInt64
		if err := rows.Scan(&r.revision, &r.key, &r.value, &r.created, &r.previous, &before.value, &created); err != nil {
			return nil, l.failed("read", err)
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
	return events, l.known(ctx, revision, l.failed("read", rows.Err()))
}

// known returns err, or that the revision is compacted: what was read of it may have
// been forgotten while or before it was read, or it is none of this log. Each
// revision that clients were given is that of a change, and all changes since the
// forgotten ones are in the table. One that is missing was lost after clients had
// seen it.
func (l *log) known(ctx context.Context, revision int64, err error) error {
	forgotten := l.forgotten.Load()
	switch {
	case err != nil:
		return err
	case revision < forgotten:
		return rpctypes.ErrGRPCCompacted
	case revision == forgotten:
		return nil
	}
	var exists bool
	if err := l.reader.QueryRowContext(ctx, "SELECT EXISTS (SELECT * FROM log WHERE revision = ?)", revision).Scan(&exists); err != nil {
		return l.failed("read", err)
	}
	if !exists {
		return rpctypes.ErrGRPCCompacted
	}
	return nil
}

func (l *log) query(ctx context.Context, take func(row), query string, arguments ...any) error {
	rows, err := l.reader.QueryContext(ctx, query, arguments...)
	if err != nil {
		return l.failed("read", err)
	}
	defer func() { _ = rows.Close() }() // its error is in rows.Err too
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.revision, &r.key, &r.value, &r.created, &r.previous); err != nil {
			return l.failed("read", err)
		}
		take(r)
	}
	return l.failed("read", rows.Err())
}

// newest is the revision of the last change in the file; 0: there was none.
func (l *log) newest(ctx context.Context) (int64, error) {
	var revision sql.NullInt64
	err := l.reader.QueryRowContext(ctx, "SELECT max(revision) FROM log").Scan(&revision)
	return max(revision.Int64, l.forgotten.Load()), l.failed("read", err)
}

var errClosed = errors.New("the datastore is closed")
