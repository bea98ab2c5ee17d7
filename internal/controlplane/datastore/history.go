package datastore

import (
	"context"
	"database/sql"
	"errors"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// loadHead reads the state of all keys and the revision of the last change.
func (l *log) loadHead(ctx context.Context) (head, error) {
	h := head{revision: l.compactRevision.Load(), values: map[string]*mvccpb.KeyValue{}}
	err := l.query(ctx, func(r row) {
		h.revision = max(h.revision, r.revision)
		if r.value != nil && r.key != epochKey {
			h.values[r.key] = r.keyValue()
			h.keys = append(h.keys, r.key)
		}
	}, `SELECT revision, key, value, value IS NOT NULL, created, previous FROM log
		WHERE revision IN (SELECT max(revision) FROM log GROUP BY key) ORDER BY key`)
	return h, err
}

// rangeAt reads the keys in [start, end) at a revision, sorted: up to limit of them
// (0: all).
func (l *log) rangeAt(ctx context.Context, start, end string, limit, revision int64) ([]*mvccpb.KeyValue, error) {
	if limit == 0 {
		limit = -1 // SQLite reads -1 as no limit
	}
	var kvs []*mvccpb.KeyValue
	err := l.query(ctx, func(r row) { kvs = append(kvs, r.keyValue()) },
		`SELECT revision, key, value, value IS NOT NULL, created, previous FROM log AS l
		WHERE key >= ?1 AND key < ?2 AND value IS NOT NULL
			AND revision = (SELECT max(revision) FROM log WHERE key = l.key AND revision <= ?3)
		ORDER BY key LIMIT ?4`, start, end, revision, limit)
	return kvs, l.checkRevision(ctx, revision, err)
}

// maxHistory and maxHistorySize limit how many changes and bytes changesAfter returns.
const (
	maxHistory     = 500
	maxHistorySize = 4 << 20
)

// changesAfter reads the first changes after a revision and up to another one, oldest
// first, each with the value from before it. Large results are cut off: the caller
// continues after the last change until there is none.
func (l *log) changesAfter(ctx context.Context, revision, last int64) ([]*clientv3.Event, error) {
	rows, err := l.reader.QueryContext(ctx,
		`SELECT l.revision, l.key, l.value, l.value IS NOT NULL, l.created, l.previous, p.value, p.created FROM log AS l
		LEFT JOIN log AS p ON p.revision = l.previous AND l.previous > 0
		WHERE l.revision > ? AND l.revision <= ? ORDER BY l.revision`, revision, last)
	if err != nil {
		return nil, l.wrapError("read", err)
	}
	defer func() { _ = rows.Close() }() // its error is in rows.Err too
	var events []*clientv3.Event
	for size := 0; len(events) < maxHistory && size < maxHistorySize && rows.Next(); {
		var before row
		var created sql.NullInt64
		r, err := scan(rows, &before.value, &created)
		if err != nil {
			return nil, l.wrapError("read", err)
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
		size += len(r.value) + len(before.value)
	}
	return events, l.checkRevision(ctx, revision, l.wrapError("read", rows.Err()))
}

// checkRevision returns err, or that the revision is compacted. It is called after a
// read at the revision, since a compaction may have removed rows meanwhile.
//
// A revision that is not in this log counts as compacted too. Clients only receive
// revisions of changes, and the table has every change since the last compaction. So
// a missing revision was lost after clients had received it.
func (l *log) checkRevision(ctx context.Context, revision int64, err error) error {
	compacted := l.compactRevision.Load()
	switch {
	case err != nil:
		return err
	case revision < compacted:
		return rpctypes.ErrGRPCCompacted
	case revision == compacted:
		return nil
	}
	var exists bool
	if err := l.reader.QueryRowContext(ctx, "SELECT EXISTS (SELECT * FROM log WHERE revision = ?)", revision).Scan(&exists); err != nil {
		return l.wrapError("read", err)
	}
	if !exists {
		return rpctypes.ErrGRPCCompacted
	}
	return nil
}

func (l *log) query(ctx context.Context, take func(row), query string, arguments ...any) error {
	rows, err := l.reader.QueryContext(ctx, query, arguments...)
	if err != nil {
		return l.wrapError("read", err)
	}
	defer func() { _ = rows.Close() }() // its error is in rows.Err too
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return l.wrapError("read", err)
		}
		take(r)
	}
	return l.wrapError("read", rows.Err())
}

// scan reads a row and further columns. SQLite's driver returns nil for an empty value,
// which would be a deletion.
func scan(rows *sql.Rows, further ...any) (row, error) {
	var r row
	var exists bool
	err := rows.Scan(append([]any{&r.revision, &r.key, &r.value, &exists, &r.created, &r.previous}, further...)...)
	if exists && r.value == nil {
		r.value = []byte{}
	}
	return r, err
}

// lastRevision is the revision of the last change in the file; 0: there is none.
func (l *log) lastRevision(ctx context.Context) (int64, error) {
	var revision sql.NullInt64
	err := l.reader.QueryRowContext(ctx, "SELECT max(revision) FROM log").Scan(&revision)
	return max(revision.Int64, l.compactRevision.Load()), l.wrapError("read", err)
}

var errClosed = errors.New("the datastore is closed")
