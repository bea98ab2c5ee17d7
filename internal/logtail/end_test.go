package logtail

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestEndFindsLastOffset(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if text, err := End(path, 5); len(text) > 0 || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %q, %v", text, err)
	}
	for content, want := range map[string]string{"": "", "a\n": "a\n", "12345": "12345", "one\ntwo\n": "\ntwo\n"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if text, err := End(path, 5); err != nil || string(text) != want {
			t.Errorf("of %q: %q, %v, want %q", content, text, err, want)
		}
	}
}
