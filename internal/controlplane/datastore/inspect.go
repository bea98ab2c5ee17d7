package datastore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
)

// inspect refuses a file that this program must not use, without writing to it: one
// that is not a regular file, not writable, not a database, damaged in its first
// pages, or of a newer format. A missing file is accepted.
func inspect(ctx context.Context, path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return notFileError(info.Mode().Type())
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	if info.Size() == 0 {
		return nil // a crash before the first write leaves an empty file
	}
	version, err := formatOf(ctx, path)
	if err != nil {
		return err
	}
	if version > format {
		return newerError(version)
	}
	return nil
}

// formatOf reads the format of the file at path.
func formatOf(ctx context.Context, path string) (version int, err error) {
	// Without a write-ahead log the file is complete. With one, SQLite has to read
	// both; in read-only mode it copies nothing from the log into the file.
	query := "mode=ro&immutable=1"
	if info, err := os.Stat(path + "-wal"); err == nil && info.Size() > 0 {
		query = "mode=ro&_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: query}).String())
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	// The schema is read too, because user_version alone is in the header.
	err = db.QueryRowContext(ctx, "SELECT (SELECT user_version FROM pragma_user_version()) FROM (SELECT count(*) FROM sqlite_schema)").Scan(&version)
	return version, err
}

// notFileError is the file type of something else at the path of the datastore.
type notFileError fs.FileMode

func (e notFileError) Error() string {
	if fs.FileMode(e).IsDir() {
		return "the path is a directory"
	}
	return fmt.Sprintf("the path is not a regular file (%s)", fs.FileMode(e))
}

// damagedError is the damage that SQLite reported.
type damagedError string

func (e damagedError) Error() string { return "the file is damaged: " + string(e) }
