package datastore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
)

// maxProblems is the number of problems after which SQLite stops its check.
const maxProblems = 10

// Integrity runs SQLite's check of the whole datastore at path, in one read
// transaction that neither waits for a running daemon nor delays it. It returns the
// problems found, or nil. An error means that the file cannot be read, which may be
// due to damage too.
func Integrity(ctx context.Context, path string) (problems []string, err error) {
	at := url.URL{Scheme: "file", Path: path, RawQuery: "mode=ro&_pragma=busy_timeout(2000)"}
	db, err := sql.Open("sqlite", at.String())
	if err != nil {
		return nil, fmt.Errorf("open the datastore %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.QueryContext(ctx, fmt.Sprintf("PRAGMA integrity_check(%d)", maxProblems))
	if err != nil {
		return nil, fmt.Errorf("read the datastore %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return nil, fmt.Errorf("read the datastore %s: %w", path, err)
		}
		if line != "ok" {
			problems = append(problems, line)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the datastore %s: %w", path, err)
	}
	return problems, nil
}
