package datastore

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"

	// Registers the "sqlite" driver, which is pure Go.
	_ "modernc.org/sqlite"
)

// check opens the file with SQLite, writes to it and reads it. So an unusable
// datastore is refused, with its path and the cause, before anything depends on it.
// It first inspects the file read-only, so that a refused file stays unchanged.
func check(ctx context.Context, path string) (err error) {
	defer func() { err = wrapUnusable(path, err) }()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := inspect(ctx, path); err != nil {
		return err
	}
	// SQLite creates the file with the umask's mode, and the log beside it with
	// the mode of the file.
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(file.Chmod(0o600), file.Close()); err != nil {
		return err
	}
	_, statErr := os.Stat(path + "-wal")
	crashed := statErr == nil

	// The mode of vacuum is that of a new file, or of one that VACUUM writes.
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: "_pragma=auto_vacuum(INCREMENTAL)&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)"}).String())
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := probe(ctx, db); err != nil {
		return err
	}
	if crashed {
		if err := quickCheck(ctx, db); err != nil {
			return err
		}
	}
	return rewrite(ctx, db)
}

// probe writes to the file and undoes the write.
func probe(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "CREATE TABLE rdd_probe (data BLOB); INSERT INTO rdd_probe VALUES (zeroblob(65536)); DROP TABLE rdd_probe")
	return errors.Join(err, tx.Commit())
}

// quickCheck checks the whole file for damage. It takes a few milliseconds per
// megabyte, so only a start after a crash runs it.
func quickCheck(ctx context.Context, db *sql.DB) error {
	var result string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&result); err != nil {
		return err
	}
	if result != "ok" {
		return damagedError(result)
	}
	return nil
}
