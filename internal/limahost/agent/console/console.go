// Package console reads the log of a guest's serial console, which is the only trace
// of a guest that did not boot, or crashed.
//
// Reading map: console.go reads and rotates a log, limit.go limits its size.
package console

import (
	"errors"
	"io/fs"
	"os"
	"regexp"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/logtail"
)

// window is the number of bytes at the end of a log that are read.
const window = 64 << 10

// Tail returns the last lines of a log that are not blank, at most n, without control
// characters. A log that cannot be read has none.
func Tail(path string, n int) []string {
	lines := read(path)
	return lines[max(0, len(lines)-n):]
}

// quotedLines is the number of lines that Quote quotes.
const quotedLines = 15

// Quote returns the last lines of the console's log as the end of an error message.
func Quote(path string) string {
	lines := Tail(path, quotedLines)
	if len(lines) == 0 {
		return "\nthe guest's console, " + path + ", is empty"
	}
	return "\nthe last lines of the guest's console, " + path + ":\n  " + strings.Join(lines, "\n  ")
}

// Panic returns the kernel's message of its panic; empty if there is none.
func Panic(path string) string {
	for _, line := range read(path) {
		if _, text, found := strings.Cut(line, "Kernel panic - "); found {
			return "Kernel panic - " + text
		}
	}
	return ""
}

func read(path string) []string {
	text, err := logtail.End(path, window)
	if err != nil {
		return nil
	}
	return clean(string(text))
}

// clean returns the lines that are not blank, without terminal control sequences.
func clean(text string) []string {
	// Control sequences of ECMA-48, operating system commands, other escapes.
	escapes := regexp.MustCompile(`\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_a-z0-9=>()#])`)
	text = escapes.ReplaceAllString(text, "")
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimRight(line, "\r \t")
		// The text after a carriage return overwrites the text before it.
		if at := strings.LastIndexByte(line, '\r'); at >= 0 {
			line = line[at+1:]
		}
		line = strings.Map(func(r rune) rune {
			if r == '\t' {
				return ' '
			}
			// The control characters from 0x80 on are short for escape sequences.
			if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\uFFFD' {
				return -1
			}
			return r
		}, line)
		line = strings.TrimRight(line, " ")
		if strings.TrimSpace(line) != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// Rotate renames the log of the last boot, which the next boot would overwrite.
func Rotate(path string) error {
	if err := os.Rename(path, path+".1"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
