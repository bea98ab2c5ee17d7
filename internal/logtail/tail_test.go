package logtail

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

func TestTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if n, err := Tail(path, 5, new(strings.Builder)); n != 0 || err != nil {
		t.Errorf("no file: %d, %v", n, err)
	}
	var long strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&long, "line %d\n", i)
	}
	for _, test := range []struct {
		what, content string
		n             int
		want          string
	}{
		{"empty", "", 3, ""},
		{"fewer lines", "a\nb\n", 3, "a\nb\n"},
		{"exactly", "a\nb\nc\n", 3, "a\nb\nc\n"},
		{"more", "a\nb\nc\nd\n", 2, "c\nd\n"},
		{"unfinished line", "a\nb\nc", 2, "b\nc"},
		{"all", "a\nb\n", -1, "a\nb\n"},
		{"none", "a\nb\n", 0, ""},
		{"blank lines", "\n\n\n", 2, "\n\n"},
		{"longer than a chunk", long.String(), 2, "line 19998\nline 19999\n"},
		{"spans chunks", long.String(), 19999, strings.TrimPrefix(long.String(), "line 0\n")},
	} {
		t.Run(test.what, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			end, err := Tail(path, test.n, &out)
			if err != nil || out.String() != test.want || end != int64(len(test.content)) {
				t.Errorf("%d bytes, end %d, %v", out.Len(), end, err)
			}
		})
	}
}

func TestLastSkipsOffset(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte("old\nnew\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for offset, want := range map[int64]string{0: "old\nnew\n", 4: "new\n", 8: "", 99: "old\nnew\n"} {
		var out strings.Builder
		if _, err := Last(path, offset, 10, &out); err != nil || out.String() != want {
			t.Errorf("from %d: %q, %v", offset, out.String(), err)
		}
	}
}

// buffer may be written and read concurrently.
type buffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func TestFollowContinuesAfterRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out buffer
	done := make(chan error, 1)
	go func() { done <- Follow(ctx, path, 0, &out) }()

	write := func(text string) {
		t.Helper()
		f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(want string) {
		t.Helper()
		testkit.Eventually(t, 10*time.Second, "the lines", func() error {
			if got := out.String(); got != want {
				return fmt.Errorf("%q, want %q", got, want)
			}
			return nil
		})
	}
	write("a\n")
	expect("a\n")
	write("b\n")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	write("c\n")
	expect("a\nb\nc\n")
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
