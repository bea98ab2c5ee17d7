package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
)

// subjectLimit is the greatest number of characters of a commit subject.
const subjectLimit = 72

// search holds the occurrences of each rule by its name.
type search struct {
	rules      []rule
	boundaries []*regexp.Regexp
	found      map[string][]string
}

func newSearch() *search {
	return &search{
		rules: rules(),
		// Between the parts of an identifier, the last letters of an acronym too.
		boundaries: []*regexp.Regexp{regexp.MustCompile(`([a-z0-9])([A-Z])`), regexp.MustCompile(`([A-Z])([A-Z][a-z])`)},
		found:      map[string][]string{},
	}
}

// tree searches all files below a directory, and its history.
func (s *search) tree(root string) error {
	s.found[subjects] = longSubjects(root)
	files := os.DirFS(root)
	return fs.WalkDir(files, ".", func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && skipped(file):
			return fs.SkipDir
		case !entry.Type().IsRegular() || !checked(file):
			return nil
		}
		text, err := fs.ReadFile(files, file)
		if err == nil && !bytes.Contains(text, []byte{0}) { // a program has no words
			s.text(file, string(text))
		}
		return err
	})
}

// skipped reports whether a directory has no text of ours, or has the words
// themselves.
func skipped(dir string) bool {
	name := path.Base(dir)
	return name != "." && strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules" || dir == "bin" || dir == "internal/tools/words"
}

// checked reports whether a file has text of ours. Without an extension it is a
// script, a list, or the Makefile.
func checked(file string) bool {
	return slices.Contains([]string{"", ".go", ".md", ".bats", ".bash", ".sh", ".yaml", ".yml", ".service", ".tmpl"}, path.Ext(file)) && path.Base(file) != "LICENSE"
}

func (s *search) text(file, text string) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		words := s.split(line)
		for _, r := range s.rules {
			if r.pattern == nil {
				continue
			}
			for range r.pattern.FindAllString(words, -1) {
				s.found[r.name] = append(s.found[r.name], fmt.Sprintf("%s:%d: %s", file, number, strings.TrimSpace(line)))
			}
		}
	}
}

// split separates the parts of identifiers, and returns everything in lower case.
func (s *search) split(line string) string {
	for _, boundary := range s.boundaries {
		line = boundary.ReplaceAllString(line, "$1 $2")
	}
	return strings.ToLower(strings.ReplaceAll(line, "_", " "))
}

// longSubjects returns the commit subjects over the limit. It returns none where
// there is no history.
func longSubjects(root string) []string {
	log, err := exec.CommandContext(context.Background(), "git", "-C", root, "log", "--format=%h %s").Output()
	if err != nil {
		return nil
	}
	var long []string
	for line := range strings.Lines(string(log)) {
		_, subject, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if len([]rune(subject)) > subjectLimit {
			long = append(long, strings.TrimSpace(line))
		}
	}
	return long
}
