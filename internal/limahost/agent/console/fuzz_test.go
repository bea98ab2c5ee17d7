package console

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzClean generates console output. No cleaned line may control the terminal of a
// user who reads it.
func FuzzClean(f *testing.F) {
	f.Add("[\x1b[0;32m  OK  \x1b[0m]\r\nx\x1b]0;t\x07y\x1b")
	f.Add("\x1b\x1b[[m\x1b]\xff\x9b31m\u009b31m")
	f.Fuzz(func(t *testing.T, text string) {
		lines := clean(text)
		for _, line := range lines {
			control := func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }
			if strings.ContainsFunc(line, control) || !utf8.ValidString(line) || strings.TrimSpace(line) == "" {
				t.Fatalf("%q became %q", text, line)
			}
		}
		if again := clean(strings.Join(lines, "\n")); !slices.Equal(again, lines) {
			t.Fatalf("%q became %q, then %q", text, lines, again)
		}
	})
}
