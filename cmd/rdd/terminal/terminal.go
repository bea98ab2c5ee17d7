// Package terminal fits text for people into the columns of a terminal. Wide characters
// take two columns, and combining ones none.
package terminal

import (
	"io"
	"os"
	"strings"
	"unicode"

	"github.com/mattn/go-runewidth"
	"golang.org/x/term"
)

// Columns and Rows of a terminal that does not report its size.
const (
	Columns = 80
	Rows    = 24
)

// Size returns the size of the terminal that stream is; ok is false if it is none.
func Size(stream any) (columns, rows int, ok bool) {
	file, isFile := stream.(*os.File)
	if !isFile || !term.IsTerminal(int(file.Fd())) {
		return 0, 0, false
	}
	columns, rows, err := term.GetSize(int(file.Fd()))
	if err != nil || columns <= 0 || rows <= 0 {
		return Columns, Rows, true
	}
	return columns, rows, true
}

// Redrawn returns the function that reads the size of a terminal, for output that is
// redrawn. It returns nil if out is no terminal, or one that cannot move its cursor.
func Redrawn(out io.Writer) func() (columns, rows int) {
	if _, _, ok := Size(out); !ok || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return func() (int, int) {
		columns, rows, ok := Size(out)
		if !ok {
			return Columns, Rows
		}
		return columns, rows
	}
}

// Width returns how many columns a text takes.
func Width(text string) int { return runewidth.StringWidth(text) }

// Line returns a text in one line, without characters that move the cursor.
func Line(text string) string {
	text = strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "; ")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}

// Cut returns a text that is at most columns wide. It ends with … if something
// was cut off.
func Cut(text string, columns int) string {
	const more = "…"
	switch {
	case Width(text) <= columns:
		return text
	case columns < Width(more):
		return ""
	}
	return runewidth.Truncate(text, columns, more)
}

// Wrap returns the words of a text in lines that are at most columns wide. A wider word has
// a line of its own. Line breaks of the text stay, with the indentation after them.
func Wrap(text string, columns int) []string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		lines = append(lines, wrapLine(line, columns)...)
	}
	return lines
}

func wrapLine(text string, columns int) []string {
	indent := text[:len(text)-len(strings.TrimLeft(text, " \t"))]
	var lines []string
	used := 0
	for word := range strings.FieldsSeq(text) {
		width := Width(word)
		if len(lines) > 0 && used+1+width <= columns {
			lines[len(lines)-1] += " " + word
			used += 1 + width
			continue
		}
		lines = append(lines, indent+word)
		used = Width(indent) + width
	}
	if lines == nil {
		return []string{""}
	}
	return lines
}
