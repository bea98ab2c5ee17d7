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
const Remedy = "run 'rdd svc stop --keep-engine', move the file away together with its -wal and -shm files, and run 'rdd svc start': an engine that rdd started keeps running, and its settings and mirrors are restored; an external endpoint, vm.idleStop, desired states and unfinished requests are lost"

// recoveryHint is what a user can do about a datastore that cannot be used.
const recoveryHint = "if the disk is full, free some space; if permissions are missing, fix them; if the file is damaged, " + Remedy + "; 'rdd svc reset' removes the engine's data too"

// newerError is the format of a file that a newer program has written.
type newerError int

func (e newerError) Error() string {
	return fmt.Sprintf("a newer rdd has written it, in format %d, and this rdd supports format %d: use the newer rdd, or run 'rdd svc reset', which removes the engine's data too", int(e), format)
}

// UnusableError is the error of a datastore that stays unusable until a user fixes the
// cause: a retry does not help.
type UnusableError struct{ err error }

func (e *UnusableError) Error() string { return e.err.Error() }

func (e *UnusableError) Unwrap() error { return e.err }

// Permanent reports that a retry does not help.
func (*UnusableError) Permanent() bool { return true }

// wrapUnusable adds the file and the next step to the error of a check.
func wrapUnusable(path string, err error) error {
	if err == nil {
		return nil
	}
	if _, newer := errors.AsType[newerError](err); newer {
		return fmt.Errorf("the datastore %s cannot be used: %w", path, err)
	}
	return fmt.Errorf("the datastore %s cannot be used: %w (%s)", path, err, recoveryHint)
}

// classify wraps a permanent error in an [UnusableError].
func classify(err error) error {
	if err != nil && permanent(err) {
		return &UnusableError{err}
	}
	return err
}

// permanent reports whether a datastore that fails with err would fail again. A full
// disk, a lock of another process and a deadline are temporary.
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

// wrapError adds the file and the next step to an error of SQLite, which names
// neither: its reader may only have requested a resource. The error of a cancelled
// caller gets no hint.
func (l *log) wrapError(do string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s the datastore %s: %w", do, l.path, err)
	default:
		return fmt.Errorf("%s the datastore %s: %w (%s)", do, l.path, err, recoveryHint)
	}
}
