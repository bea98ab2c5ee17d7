package datastore

import (
	"context"
	"time"
)

// epochKey is the key that each opening of the log writes. No resource uses it, and
// the head omits it.
const epochKey = "epoch"

// epoch returns the first revision of an opening: the microseconds since 1970, but
// more than every revision that is known to be used.
//
// So a new log, or one that was replaced by an older copy, never reuses a revision
// that clients received before. Revisions grow slower than the clock, since a write
// takes some 50 µs. JavaScript's integers are exact up to 2^53, which the clock
// passes in 2255.
func epoch(now time.Time, used ...int64) int64 {
	revision := max(1, now.UnixMicro())
	for _, u := range used {
		revision = max(revision, u+1)
	}
	return revision
}

// writeEpoch writes the epoch of this opening to the log, as a change of its own, and
// returns it. reserved is the last revision that an earlier log at this path may have
// used.
//
// The revisions between the last change of an earlier opening and the epoch belong to
// changes that were lost, by a power cut or because an older copy replaced the file.
// [log.checkRevision] refuses them.
func (l *log) writeEpoch(ctx context.Context, now time.Time, reserved int64) (int64, error) {
	newest, err := l.lastRevision(ctx)
	if err != nil {
		return 0, err
	}
	revision := epoch(now, newest, reserved)
	if newest == 0 { // a new log has no history
		if _, err := l.writer.ExecContext(ctx, "UPDATE forgotten SET before = ?", revision); err != nil {
			return 0, l.wrapError("write to", err)
		}
		l.compactRevision.Store(revision)
	}
	opening := row{revision: revision, key: epochKey, value: []byte{}, created: revision}
	return revision, l.wrapError("write to", l.append(ctx, []row{opening}, true))
}
