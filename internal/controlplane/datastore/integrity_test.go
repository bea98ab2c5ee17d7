package datastore

import (
	"bytes"
	"database/sql"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Integrity accepts a file in use, and reports a damaged file and one that is not a
// database.
func TestIntegrityFindsDamage(t *testing.T) {
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
	// A write is in progress.
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("INSERT INTO t VALUES (1000, 'x')"); err != nil {
		t.Fatal(err)
	}
	if problems, err := Integrity(t.Context(), path); err != nil || problems != nil {
		t.Errorf("a file in use: %v, %v", problems, err)
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
	if problems, err := Integrity(t.Context(), path); err == nil && problems == nil {
		t.Error("Integrity missed the damage")
	}
	if err := os.WriteFile(path, []byte(strings.Repeat("no database", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Integrity(t.Context(), path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a file that is not a database: %v", err)
	}
}

// Row E5: a start after a crash finds damage in every page, also in those that the
// start itself does not read.
func TestOpenAfterCrashFindsDamagedPage(t *testing.T) {
	const pageSize = 4096
	dir := t.TempDir()
	fill(t, dir)
	supersede(t, dir)
	whole, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	undamaged := t.TempDir()
	open := func(dir string, text []byte) error {
		for name, content := range map[string][]byte{FileName: text, FileName + "-wal": nil} {
			if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		store, err := Open(t.Context(), dir, reserved(t), nil)
		if err == nil {
			err = store.Close(t.Context())
		}
		return err
	}
	if err := open(undamaged, whole); err != nil {
		t.Fatalf("without damage: %v", err)
	}
	for page := 1; page < len(whole)/pageSize; page++ {
		text := bytes.Clone(whole)
		for i := range pageSize {
			text[page*pageSize+i] = byte(i*7 + 1)
		}
		if err := open(t.TempDir(), text); err == nil {
			t.Errorf("Open missed the damage in page %d of %d", page+1, len(whole)/pageSize)
		}
	}
}

// supersede writes every key of fill again, at full length. Opening reads only the
// newest values, so it would not find damage in the older ones by itself.
func supersede(t *testing.T, dir string) {
	t.Helper()
	store, err := Open(t.Context(), dir, reserved(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	for key, kv := range maps.Clone(store.head.values) {
		put(t, store, key, strings.Repeat("y", 4000), kv.ModRevision)
	}
	if err := store.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}
