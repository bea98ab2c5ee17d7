package terminal

import (
	"slices"
	"strings"
	"testing"
)

const combined = "e\u0301" // é as two characters, one column

func TestCutCountsColumns(t *testing.T) {
	for _, test := range []struct {
		text    string
		columns int
		want    string
	}{
		{"", 0, ""},
		{"four", 4, "four"},
		{"four", 3, "fo…"},
		{"four", 1, "…"},
		{"four", 0, ""},
		{"four", -3, ""},
		{"日本語", 6, "日本語"},
		{"日本語", 5, "日本…"},
		{"日本語", 4, "日…"},
		{strings.Repeat(combined, 4), 4, strings.Repeat(combined, 4)},
		{strings.Repeat(combined, 5), 4, strings.Repeat(combined, 3) + "…"},
	} {
		got := Cut(test.text, test.columns)
		if got != test.want || Width(got) > max(0, test.columns) {
			t.Errorf("%q in %d: %q, want %q", test.text, test.columns, got, test.want)
		}
	}
}

func TestLineHasNoControlCharacters(t *testing.T) {
	if got, want := Line("a\tb\x1b[2J\r\nc\u009b\n"), "a b [2J ; c "; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestWrapKeepsWords(t *testing.T) {
	for _, test := range []struct {
		text string
		want []string
	}{
		{"", []string{""}},
		{"one two three", []string{"one two", "three"}},
		{"12345678 x", []string{"12345678", "x"}},
		{"unix:///var/run/docker.sock is long", []string{"unix:///var/run/docker.sock", "is long"}},
		{"a\n\n  b c d e\nf", []string{"a", "", "  b c d", "  e", "f"}},
		{"日本 語語 x", []string{"日本", "語語 x"}},
		{combined + combined + " 12345 x", []string{combined + combined + " 12345", "x"}},
	} {
		if got := Wrap(test.text, 8); !slices.Equal(got, test.want) {
			t.Errorf("%q: %q, want %q", test.text, got, test.want)
		}
	}
}
