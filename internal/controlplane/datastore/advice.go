package datastore

import (
	"context"
	"errors"
	"fmt"
)

// Remedy is what a user can do about a datastore that is damaged.
const Remedy = "'rdd svc stop --keep-vm', move the file away together with its -wal and -shm files, and 'rdd svc start': an engine of rdd's own that runs goes on and is mirrored anew, and only the other settings and wishes are lost"

// advice is what a user can do about a datastore that cannot be used.
const advice = "free some space or repair the permissions if that is the cause; if the file is damaged, " + Remedy + "; 'rdd svc reset' removes the engine's data too"

// newerError is the format of a file that this program does not know, because a
// newer one has written it.
type newerError int

func (e newerError) Error() string {
	return fmt.Sprintf("a newer rdd has written it, in format %d, and this one knows %d: use that rdd again, or begin anew with this one, with 'rdd svc reset', which removes the engine's data too", int(e), format)
}

// failed says which file could not be read or written, why, and what to do next:
// SQLite names neither, and who reads the error has only asked for a resource.
// A caller that gave up needs no advice, and a file that is newer has its own.
func (l *log) failed(do string, err error) error {
	_, newer := errors.AsType[newerError](err)
	switch {
	case err == nil:
		return nil
	case newer, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s the datastore %s: %w", do, l.path, err)
	default:
		return fmt.Errorf("%s the datastore %s: %w (%s)", do, l.path, err, advice)
	}
}
