package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// filePatch is the change of one file.
type filePatch struct {
	// path from the root of the tree.
	path  string
	hunks []hunk
}

// hunk replaces lines. The line where the old ones began is a hint only: other changes
// of the file may have moved them.
type hunk struct {
	line     int
	old, new []string
}

// parsePatch reads a unified diff of existing files.
func parsePatch(diff string) ([]filePatch, error) {
	var files []filePatch
	for line := range strings.Lines(diff) {
		line = strings.TrimSuffix(line, "\n")
		if name, ok := strings.CutPrefix(line, "--- a/"); ok {
			files = append(files, filePatch{path: name})
			continue
		}
		file := &files[len(files)-1] // the diff begins with a file
		var err error
		switch {
		case strings.HasPrefix(line, "+++ "):
			if line != "+++ b/"+file.path {
				err = fmt.Errorf("the diff of %s is one of %q", file.path, line)
			}
		case strings.HasPrefix(line, "@@ "):
			err = file.begin(line)
		case len(file.hunks) == 0:
			err = fmt.Errorf("unexpected line %q", line)
		default:
			err = file.hunks[len(file.hunks)-1].add(line)
		}
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

func (f *filePatch) begin(line string) error {
	match := regexp.MustCompile(`^@@ -(\d+)`).FindStringSubmatch(line)
	if match == nil {
		return fmt.Errorf("invalid line %q", line)
	}
	n, err := strconv.Atoi(match[1])
	f.hunks = append(f.hunks, hunk{line: n})
	return err
}

func (h *hunk) add(line string) error {
	if line == "" {
		line = " " // an editor has removed the space of an empty line
	}
	switch mark, text := line[0], line[1:]; mark {
	case ' ':
		h.old, h.new = append(h.old, text), append(h.new, text)
	case '-':
		h.old = append(h.old, text)
	case '+':
		h.new = append(h.new, text)
	default:
		return fmt.Errorf("unexpected line %q", line)
	}
	return nil
}

// apply returns the changed text of the file.
func (f *filePatch) apply(text string) (string, error) {
	lines := strings.Split(text, "\n")
	for _, h := range f.hunks {
		at, err := h.find(lines)
		if err != nil {
			return "", fmt.Errorf("%s: %w", f.path, err)
		}
		lines = slices.Replace(lines, at, at+len(h.old), h.new...)
	}
	return strings.Join(lines, "\n"), nil
}

// find returns the index of the old lines that are nearest to the line of the hunk.
func (h hunk) find(lines []string) (int, error) {
	if len(h.old) == 0 {
		return 0, errors.New("a part of the diff has no old lines")
	}
	found := -1
	for at := 0; at+len(h.old) <= len(lines); at++ {
		if slices.Equal(lines[at:at+len(h.old)], h.old) && (found < 0 || h.distance(at) < h.distance(found)) {
			found = at
		}
	}
	if found < 0 {
		return 0, fmt.Errorf("the file has changed: it has no lines %q: refresh the diff", strings.Join(h.old, "\n"))
	}
	return found, nil
}

func (h hunk) distance(at int) int { return max(at+1-h.line, h.line-at-1) }
