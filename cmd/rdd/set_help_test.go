package main

import (
	"slices"
	"strings"
	"testing"
)

func TestWrappedKeepsWords(t *testing.T) {
	for _, test := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"one two three", []string{"one two", "three"}},
		{"12345678 x", []string{"12345678", "x"}},
		{"unix:///var/run/docker.sock is long", []string{"unix:///var/run/docker.sock", "is long"}},
	} {
		if got := wrapped(test.text, 8); !slices.Equal(got, test.want) {
			t.Errorf("%q: %q, want %q", test.text, got, test.want)
		}
	}
}

func TestPropertiesFitTerminal(t *testing.T) {
	var out strings.Builder
	if err := printProperties(&out, "none"); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, helpIndent) && len(line) > helpWidth+1 {
			t.Errorf("longer than %d characters: %s", helpWidth, line)
		}
	}
	if !strings.Contains(out.String(), "\n  running ") || !strings.Contains(out.String(), "\n"+helpIndent+"Driver is what runs the engine") {
		t.Errorf("a property or a description is missing:\n%s", out.String())
	}
}
