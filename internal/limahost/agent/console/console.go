// Package console reads the log of a guest's serial console, which is all that
// is left of a guest that did not get up, or fell.
package console

import (
	"errors"
	"io/fs"
	"os"
	"regexp"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/logtail"
)

// window is how much of the end of a log is read.
const window = 64 << 10

// Tail returns the last lines of a log that hold something, at most n, without
// control characters. A log that cannot be read has none.
func Tail(path string, n int) []string {
	lines := read(path)
	return lines[max(0, len(lines)-n):]
}

// Panic returns the line with which the kernel said that it panicked; empty if
// it did not.
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

// clean returns the lines that hold something, without what drives a terminal.
func clean(text string) []string {
	// Control sequences of ECMA-48, operating system commands, other escapes.
	escapes := regexp.MustCompile(`\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_a-z0-9=>()#])`)
	text = escapes.ReplaceAllString(text, "")
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimRight(line, "\r \t")
		// What comes after a carriage return was written over what came before.
		if at := strings.LastIndexByte(line, '\r'); at >= 0 {
			line = line[at+1:]
		}
		line = strings.Map(func(r rune) rune {
			if r == '\t' {
				return ' '
			}
			// The letters from 0x80 on drive a terminal as escapes do.
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

// Keep moves the log of the last boot aside, where a next one would delete it.
func Keep(path string) error {
	if err := os.Rename(path, path+".1"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
