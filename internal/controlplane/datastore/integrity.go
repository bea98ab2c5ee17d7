package datastore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
)

// maxComplaints is after how many lines SQLite stops to look for more damage.
const maxComplaints = 10

// Integrity lets SQLite check the whole datastore at path, in one read
// transaction that neither waits for a daemon which has it open nor holds it up.
// It returns what is damaged; nothing: nil. An error says that the file cannot
// be read at all, which may be because of damage too.
func Integrity(ctx context.Context, path string) (complaints []string, err error) {
	at := url.URL{Scheme: "file", Path: path, RawQuery: "mode=ro&_pragma=busy_timeout(2000)"}
	db, err := sql.Open("sqlite", at.String())
	if err != nil {
		return nil, fmt.Errorf("open the datastore %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.QueryContext(ctx, fmt.Sprintf("PRAGMA integrity_check(%d)", maxComplaints))
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
			complaints = append(complaints, line)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the datastore %s: %w", path, err)
	}
	return complaints, nil
}
