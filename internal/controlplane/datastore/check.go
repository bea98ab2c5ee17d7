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

// vacuumFloor is the minimum of unused bytes at which a start shrinks the file. At
// least half of the file must be unused too.
const vacuumFloor = 16 << 20

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

	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)"}).String())
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
	return shrink(ctx, db)
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

// shrink returns unused space to the file system when there is much of it.
func shrink(ctx context.Context, db *sql.DB) error {
	var free, total, pageSize int64
	row := db.QueryRowContext(ctx, "SELECT freelist_count, page_count, page_size FROM pragma_freelist_count(), pragma_page_count(), pragma_page_size()")
	if err := row.Scan(&free, &total, &pageSize); err != nil {
		return err
	}
	if free*pageSize < vacuumFloor || free*2 < total {
		return nil
	}
	_, err := db.ExecContext(ctx, "VACUUM")
	return err
}
