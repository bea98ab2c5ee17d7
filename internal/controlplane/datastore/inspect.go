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

// inspect refuses a file that this program cannot or must not use, without writing
// to it: what is no file, is not writable, is no database, is damaged in its first
// pages, or has a newer format. A file that is missing is fine.
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
		return nil // as a crash leaves it before the first write
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
	// Without a write-ahead log the file is all there is. With one, SQLite has to
	// read both; read-only it copies nothing from one into the other.
	query := "mode=ro&immutable=1"
	if info, err := os.Stat(path + "-wal"); err == nil && info.Size() > 0 {
		query = "mode=ro&_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: query}).String())
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	// The schema is read too: user_version alone does not look beyond the header.
	err = db.QueryRowContext(ctx, "SELECT (SELECT user_version FROM pragma_user_version()) FROM (SELECT count(*) FROM sqlite_schema)").Scan(&version)
	return version, err
}

// notFileError is the type of what is in the place of the datastore's file.
type notFileError fs.FileMode

func (e notFileError) Error() string {
	if fs.FileMode(e).IsDir() {
		return "there is a directory in its place"
	}
	return fmt.Sprintf("it is no regular file (%s)", fs.FileMode(e))
}

// damagedError is what SQLite found wrong.
type damagedError string

func (e damagedError) Error() string { return "the file is damaged: " + string(e) }
