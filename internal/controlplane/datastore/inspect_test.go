package datastore

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// contents returns the files of a datastore, without the index of the write-ahead log,
// which a reader creates too.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, name := range []string{FileName, FileName + "-wal"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if err == nil {
			files[name] = string(text)
		}
	}
	return files
}

// newer creates a datastore of the next format. With crashed, the last changes are in
// the write-ahead log.
func newer(t *testing.T, crashed bool) string {
	t.Helper()
	dir, taken := t.TempDir(), t.TempDir()
	store, err := Open(t.Context(), dir, reserved(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.log.writer.ExecContext(t.Context(), fmt.Sprintf("PRAGMA user_version=%d", format+1)); err != nil {
		t.Fatal(err)
	}
	for name, text := range contents(t, dir) {
		if err := os.WriteFile(filepath.Join(taken, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if crashed {
		return taken
	}
	return dir
}

// An rdd that is older than the datastore refuses it, changes nothing, and does not
// suggest removing an intact file.
func TestOpenNewerFormatChangesNothing(t *testing.T) {
	for name, crashed := range map[string]bool{"after a clean end": false, "after a crash": true} {
		t.Run(name, func(t *testing.T) {
			dir := newer(t, crashed)
			before := contents(t, dir)
			if crashed != (before[FileName+"-wal"] != "") {
				t.Fatalf("crashed is %v, but the write-ahead log has %d bytes", crashed, len(before[FileName+"-wal"]))
			}
			_, err := Open(t.Context(), dir, reserved(t), nil)
			if _, permanent := errors.AsType[*UnusableError](err); !permanent {
				t.Fatalf("the error is not permanent: %v", err)
			}
			for _, want := range []string{dir, "newer rdd", "rdd svc reset"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q: %v", want, err)
				}
			}
			if strings.Contains(err.Error(), "damaged") {
				t.Errorf("the error reports damage: %v", err)
			}
			if after := contents(t, dir); !maps.Equal(before, after) {
				t.Error("Open changed a file")
			}
		})
	}
}

func TestOpenForeignFileChangesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, FileName)
	text := bytes.Repeat([]byte("this is no database\n"), 500)
	if err := os.WriteFile(path, text, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir, reserved(t), nil); err == nil {
		t.Fatal("Open succeeded")
	}
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(after, text) {
		t.Errorf("the file was changed: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the file's mode was changed: %v, %v", info.Mode(), err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("Open left files: %v, %v", entries, err)
	}
}

// A crash before the first write leaves an empty file.
func TestOpenAcceptsEmptyFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, FileName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	put(t, testStore(t, dir, ""), "/registry/a", "1", 0)
}

// A full disk is temporary: the daemon may retry.
func TestFullDiskErrorIsTemporary(t *testing.T) {
	store := testStore(t, t.TempDir(), "&_pragma=max_page_count(40)")
	write := newPendingWrite(&change{key: "/a", value: make([]byte, 1<<20)})
	store.commit(t.Context(), []*pendingWrite{write})
	if write.err == nil || permanent(write.err) {
		t.Errorf("permanent: %v", write.err)
	}
}
