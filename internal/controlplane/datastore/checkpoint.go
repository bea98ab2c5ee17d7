package datastore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// walLimit is the size of the write-ahead log, in bytes, above which a checkpoint also
// empties the log. Writes wait for that, some tens of milliseconds.
const walLimit = 32 << 20

// walKept is the size, in bytes, to which SQLite cuts the write-ahead log when it writes to
// its beginning again after a checkpoint. A log that has grown while a reader kept checkpoints
// from finishing becomes small again while writes continue.
const walKept = "8388608"

// checkpoint copies the committed changes from the write-ahead log into the file,
// while reads and writes continue. If the log exceeds walLimit, or idle is set, it then
// blocks writes, copies the rest and empties the log. It returns false if a reader,
// possibly another process, prevented that.
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
	defer func() { _ = writer.Close() }() // returns it to the pool
	// Writes must not wait for a reader.
	if _, err := writer.ExecContext(ctx, "PRAGMA busy_timeout = 20"); err != nil {
		return false, err
	}
	var busy, frames, copied int
	err = writer.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &copied)
	_, restoreErr := writer.ExecContext(context.WithoutCancel(ctx), "PRAGMA busy_timeout = "+busyTimeout)
	return busy == 0, errors.Join(err, restoreErr)
}

// shrinkFrom is the size of the write-ahead log, in bytes, from which it is emptied on a
// full disk.
const shrinkFrom = 256 << 10

func (l *log) walSize() (int64, error) {
	info, err := os.Stat(l.path + "-wal")
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the size of the write-ahead log: %w", err)
	}
	return info.Size(), nil
}
