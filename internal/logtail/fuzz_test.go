package logtail

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Tail reads from the end of a file; the result equals the one of splitting the whole
// text into lines.
func FuzzTail(f *testing.F) {
	f.Add("a\nb\n\nc", 2)
	f.Add("\n", 1)
	f.Add(strings.Repeat("x", 70_000)+"\ny\n", 2)
	path := filepath.Join(f.TempDir(), "log")
	f.Fuzz(func(t *testing.T, text string, n int) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		size, err := Tail(path, n, &got)
		if err != nil || size != int64(len(text)) {
			t.Fatalf("size %d of %d: %v", size, len(text), err)
		}
		lines := strings.SplitAfter(text, "\n")
		if lines[len(lines)-1] == "" {
			lines = lines[:len(lines)-1]
		}
		want := text
		if n >= 0 && n < len(lines) {
			want = strings.Join(lines[len(lines)-n:], "")
		}
		if got.String() != want {
			t.Fatalf("the last %d of %q: %q, want %q", n, text, got.String(), want)
		}
		end, err := End(path, int64(n))
		if n >= 0 && (err != nil || string(end) != text[max(0, len(text)-n):]) {
			t.Fatalf("the last %d bytes of %q: %q, %v", n, text, end, err)
		}
	})
}
