package datastore

import (
	"context"
	"time"
)

// epochKey is the key that each opening of the log writes. No resource has it, and
// the head leaves it out.
const epochKey = "epoch"

// epoch returns the first revision of an opening: the microseconds of the wall
// clock since 1970, but more than every revision that is known to be used.
//
// So a log that is new, or was set back to an older copy, never gives out again
// what clients got from the one before. Revisions grow slower than the clock: a
// write takes some 50 µs. JavaScript counts exactly up to 2^53, which the clock
// passes in 2255.
func epoch(now time.Time, used ...int64) int64 {
	revision := max(1, now.UnixMicro())
	for _, u := range used {
		revision = max(revision, u+1)
	}
	return revision
}

// begin writes the epoch of this opening to the log, as a change of its own, and
// returns it. reserved is the last revision that an earlier log in this place may
// have used.
//
// Between the last change of an earlier opening and the epoch are the revisions of
// changes that were lost: by a power cut, or because the file is a copy from before
// them. [log.known] refuses them.
func (l *log) begin(ctx context.Context, now time.Time, reserved int64) (int64, error) {
	newest, err := l.newest(ctx)
	if err != nil {
		return 0, err
	}
	revision := epoch(now, newest, reserved)
	if newest == 0 { // a new log knows nothing of the past
		if _, err := l.writer.ExecContext(ctx, "UPDATE forgotten SET before = ?", revision); err != nil {
			return 0, l.failed("write to", err)
		}
		l.forgotten.Store(revision)
	}
	opening := row{revision: revision, key: epochKey, value: []byte{}, created: revision}
	return revision, l.failed("write to", l.append(ctx, []row{opening}))
}
