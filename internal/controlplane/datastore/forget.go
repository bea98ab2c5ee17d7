package datastore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// forgetAtOnce is how many changes are removed by one statement, which other
// writes wait for: about a millisecond.
const forgetAtOnce = 200

// walLimit is how many bytes the write-ahead log may grow to before a write waits
// for it to be emptied, which takes some tens of milliseconds.
const walLimit = 32 << 20

// forget removes the changes up to a revision that have been superseded by then.
func (l *log) forget(ctx context.Context, revision int64) error {
	l.forgetting.Lock()
	defer l.forgetting.Unlock()
	if revision <= l.cleaned {
		return nil // nothing has been written since
	}
	if revision > l.forgotten.Load() {
		if _, err := l.writer.ExecContext(ctx, "UPDATE forgotten SET before = ?", revision); err != nil {
			return err
		}
		l.forgotten.Store(revision)
	}
	for done := int64(0); ; {
		// Oldest first: a deletion goes after all that it supersedes, or with it.
		batch, err := l.superseded(ctx, done, revision)
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			l.cleaned = revision
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

// retained is the revision of the last change before the last n ones; 0: there are
// no more than n. Revisions cannot be counted instead: each opening skips some.
func (l *log) retained(ctx context.Context, n int) (int64, error) {
	var revision int64
	err := l.reader.QueryRowContext(ctx, "SELECT revision FROM log ORDER BY revision DESC LIMIT 1 OFFSET ?", n).Scan(&revision)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return revision, err
}

// superseded are the next changes after one revision that are not needed to know
// how everything was at another one. They are looked for beside the writes, since
// what is superseded remains so.
func (l *log) superseded(ctx context.Context, after, revision int64) ([]int64, error) {
	rows, err := l.reader.QueryContext(ctx, `SELECT revision FROM log AS l
		WHERE revision > ?1 AND revision <= ?2 AND (value IS NULL
			OR EXISTS (SELECT * FROM log WHERE key = l.key AND revision > l.revision AND revision <= ?2))
		ORDER BY revision LIMIT ?3`, after, revision, forgetAtOnce)
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

// checkpoint copies what was committed from the write-ahead log into the file,
// while reads and writes go on. Only a moment without a writer lets the log begin
// anew, so when it has grown, or nothing is being written, writes are held up for
// what is left to copy. It is false when a reader, which may be another process,
// stood in the way of that.
func (l *log) checkpoint(ctx context.Context, idle bool) (bool, error) {
	if _, err := l.reader.ExecContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)"); err != nil {
		return false, err
	}
	size, err := l.walSize()
	if err != nil || size <= walLimit && !idle {
		return err == nil, err
	}
	writer, err := l.writer.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = writer.Close() }() // which gives it back
	// Writes must not wait for a reader.
	if _, err := writer.ExecContext(ctx, "PRAGMA busy_timeout = 20"); err != nil {
		return false, err
	}
	var busy, frames, copied int
	err = writer.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &copied)
	_, restoreErr := writer.ExecContext(context.WithoutCancel(ctx), "PRAGMA busy_timeout = "+busyTimeout)
	return busy == 0, errors.Join(err, restoreErr)
}

func (l *log) walSize() (int64, error) {
	info, err := os.Stat(l.path + "-wal")
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("look at the write-ahead log: %w", err)
	}
	return info.Size(), nil
}
