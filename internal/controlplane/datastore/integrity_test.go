package datastore

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestIntegrityOfAFileInUseAndOfADamagedOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB)"); err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		if _, err := db.Exec("INSERT INTO t VALUES (?, randomblob(2000))", i); err != nil {
			t.Fatal(err)
		}
	}
	// Somebody is writing.
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("INSERT INTO t VALUES (1000, 'x')"); err != nil {
		t.Fatal(err)
	}
	if complaints, err := Integrity(t.Context(), path); err != nil || complaints != nil {
		t.Errorf("a file in use: %v, %v", complaints, err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range text[4096:] {
		text[4096+i] = byte(i * 7)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if complaints, err := Integrity(t.Context(), path); err == nil && complaints == nil {
		t.Error("damage was not noticed")
	}
	if err := os.WriteFile(path, []byte(strings.Repeat("no database", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Integrity(t.Context(), path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("what is no database: %v", err)
	}
}
