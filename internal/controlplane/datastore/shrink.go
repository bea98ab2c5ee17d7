package datastore

import (
	"context"
	"database/sql"
	"errors"
)

const (
	// shrinkFloor is the number of unused bytes from which a file is shrunk. At least half
	// of the file must be unused, too: new changes use the space again.
	shrinkFloor = 4 << 20
	// shrinkStep is the number of pages that are returned at a time. Other writes wait for
	// that, some milliseconds.
	shrinkStep = "128"
)

// space is the size of a datastore's file, and of its unused part, in pages.
type space struct {
	free, total, pageSize int64
}

func spaceOf(ctx context.Context, db *sql.DB) (s space, err error) {
	row := db.QueryRowContext(ctx, "SELECT freelist_count, page_count, page_size FROM pragma_freelist_count(), pragma_page_count(), pragma_page_size()")
	err = row.Scan(&s.free, &s.total, &s.pageSize)
	return s, err
}

func (s space) isMostlyUnused() bool {
	return s.free*s.pageSize >= shrinkFloor && s.free*2 >= s.total
}

// rewrite returns unused space to the file system before the file is used. It also lets
// [log.shrink] shrink a file that an earlier version has created.
func rewrite(ctx context.Context, db *sql.DB) error {
	s, err := spaceOf(ctx, db)
	if err != nil || !s.isMostlyUnused() {
		return err
	}
	_, err = db.ExecContext(ctx, "VACUUM")
	return err
}

// shrink returns unused space to the file system while others read and write. The file has
// its new size after the next checkpoint.
func (l *log) shrink(ctx context.Context) error {
	s, err := spaceOf(ctx, l.reader)
	if err != nil || !s.isMostlyUnused() {
		return err
	}
	for s.free*s.pageSize >= shrinkFloor/2 {
		before := s.free
		if err := l.vacuumStep(ctx); err != nil {
			return err
		}
		if s, err = spaceOf(ctx, l.reader); err != nil || s.free >= before {
			return err // an earlier version has created the file, or writes use the space
		}
	}
	return nil
}

// vacuumStep returns some pages. SQLite returns one for each row that is read.
func (l *log) vacuumStep(ctx context.Context) (err error) {
	rows, err := l.writer.QueryContext(ctx, "PRAGMA incremental_vacuum("+shrinkStep+")")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
	}
	return rows.Err()
}
