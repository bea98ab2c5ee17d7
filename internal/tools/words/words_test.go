package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestSearchTextFindsWords(t *testing.T) {
	for line, want := range map[string]string{
		"func carryWish() {}":       "wish",
		"type WishedState string":   "wish",
		"wish_done \"$id\"":         "wish",
		"// It is told of that.":    "tell",
		"type MirrorsTold struct{}": "tell",
		"VMTold":                    "tell",
		"// Nobody knows.":          "somebody",
		"the loop goes on":          "go on",
		"func (m *mirror) lose() {": "lose()",
		"the connection was lost":   "",
		"func intelligent() {}":     "",
		"swish, commend":            "",
		"// It heals the mirror.":   "cure",
		"// Try again later.":       "try again",
		"// This puts right what":   "put right",
		"// It was taken away.":     "take away",
		"what was asked for":        "asked for",
		"a healthy engine, secure":  "",
	} {
		s := newSearch()
		s.text("file.go", line)
		var names []string
		for name := range s.found {
			names = append(names, name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%q: found %q, want %q", line, got, want)
		}
	}
}

func TestRunFailsOverBudget(t *testing.T) {
	dir := t.TempDir()
	budget := filepath.Join(dir, "budget.txt")
	write := func(file, text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(dir, "a.go"), "// A wish.\n// Another wish.\n")
	for _, test := range []struct {
		budget string
		ok     bool
		after  string
	}{
		{"1 wish\n", false, "1 wish\n"},
		{"2 wish\n", true, "2 wish\n"},
		{"3 wish\n1 anew\n", true, "2 wish\n"},
	} {
		write(budget, test.budget)
		var out strings.Builder
		ok, err := run(dir, budget, true, &out)
		after, readErr := os.ReadFile(budget)
		if err != nil || readErr != nil || ok != test.ok || string(after) != test.after {
			t.Errorf("budget %q: %v, %v, then %q (%v); want %v, then %q", test.budget, ok, err, after, readErr, test.ok, test.after)
		}
		if listed := strings.Contains(out.String(), "a.go:1: // A wish."); listed == test.ok {
			t.Errorf("budget %q: the output is %q", test.budget, out.String())
		}
	}
}

func TestSearchTreeChecksScripts(t *testing.T) {
	dir := t.TempDir()
	for file, text := range map[string]string{
		"init": "# a wish", "a.yml": "# a wish", "a.service": "# a wish",
		"program": "a wish\x00", "LICENSE": "a wish", "a.png": "a wish",
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := newSearch()
	if err := s.tree(dir); err != nil {
		t.Fatal(err)
	}
	want := []string{"a.service:1: # a wish", "a.yml:1: # a wish", "init:1: # a wish"}
	if got := s.found["wish"]; !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}
