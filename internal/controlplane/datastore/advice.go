package datastore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
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

// UnusableError is the error of a datastore that stays unusable until a user changes
// something: trying again is of no use.
type UnusableError struct{ err error }

func (e *UnusableError) Error() string { return e.err.Error() }

func (e *UnusableError) Unwrap() error { return e.err }

// Permanent marks the error for those who would retry.
func (*UnusableError) Permanent() bool { return true }

// unusable adds the file and the next step to the error of a check.
func unusable(path string, err error) error {
	if err == nil {
		return nil
	}
	if _, newer := errors.AsType[newerError](err); newer {
		return fmt.Errorf("the datastore %s cannot be used: %w", path, err)
	}
	return fmt.Errorf("the datastore %s cannot be used: %w (%s)", path, err, advice)
}

// classified makes an error that is permanent an [UnusableError].
func classified(err error) error {
	if err != nil && permanent(err) {
		return &UnusableError{err}
	}
	return err
}

// permanent reports whether a datastore that fails with err would fail again. A
// full disk, another process's lock and a deadline pass.
func permanent(err error) bool {
	if failure, ok := errors.AsType[*sqlite.Error](err); ok {
		switch failure.Code() & 0xff {
		case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
			return true
		}
	}
	_, newer := errors.AsType[newerError](err)
	_, noFile := errors.AsType[notFileError](err)
	_, damaged := errors.AsType[damagedError](err)
	if newer || noFile || damaged {
		return true
	}
	for _, cause := range []error{fs.ErrPermission, syscall.EROFS, syscall.ENOTDIR, syscall.ELOOP} {
		if errors.Is(err, cause) {
			return true
		}
	}
	return false
}

// failed says which file could not be read or written, why, and what to do next:
// SQLite names neither, and who reads the error has only asked for a resource.
// A caller that gave up needs no advice.
func (l *log) failed(do string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s the datastore %s: %w", do, l.path, err)
	default:
		return fmt.Errorf("%s the datastore %s: %w (%s)", do, l.path, err, advice)
	}
}
