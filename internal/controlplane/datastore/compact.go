package datastore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
)

// compactBatch is how many changes one statement removes. Other writes wait for it,
// about a millisecond.
const compactBatch = 200

// compact removes the changes that are superseded at a revision.
func (l *log) compact(ctx context.Context, revision int64) error {
	l.compacting.Lock()
	defer l.compacting.Unlock()
	if revision <= l.compactedTo {
		return nil // nothing has been written since
	}
	if revision > l.compactRevision.Load() {
		if _, err := l.writer.ExecContext(ctx, "UPDATE forgotten SET before = ?", revision); err != nil {
			return err
		}
		l.compactRevision.Store(revision)
	}
	for done := int64(0); ; {
		// Oldest first: a deletion is removed after all changes that it supersedes, or
		// together with them.
		batch, err := l.superseded(ctx, done, revision)
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			l.compactedTo = revision
			return nil
		}
		list, err := json.Marshal(batch)
		if err != nil {
			return err
		}
		if _, err := l.writer.ExecContext(ctx, "DELETE FROM log WHERE revision IN (SELECT value FROM json_each(?))", string(list)); err != nil {
			return err
		}
		done = batch[len(batch)-1]
	}
}

// retained is the revision of the newest change that is not among the last n; 0: there
// are no more than n changes. Revisions cannot be subtracted instead, because each
// opening skips some.
func (l *log) retained(ctx context.Context, n int) (int64, error) {
	var revision int64
	err := l.reader.QueryRowContext(ctx, "SELECT revision FROM log ORDER BY revision DESC LIMIT 1 OFFSET ?", n).Scan(&revision)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return revision, err
}

// superseded returns the next changes after one revision that another revision does
// not need. The search runs concurrently with writes, because a superseded change
// stays superseded.
func (l *log) superseded(ctx context.Context, after, revision int64) ([]int64, error) {
	rows, err := l.reader.QueryContext(ctx, `SELECT revision FROM log AS l
		WHERE revision > ?1 AND revision <= ?2 AND (value IS NULL
			OR EXISTS (SELECT * FROM log WHERE key = l.key AND revision > l.revision AND revision <= ?2))
		ORDER BY revision LIMIT ?3`, after, revision, compactBatch)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // its error is in rows.Err too
	var revisions []int64
	for rows.Next() {
		var r int64
		if err := rows.Scan(&r); err != nil {
			return nil, err
		}
		revisions = append(revisions, r)
	}
	return revisions, rows.Err()
}
