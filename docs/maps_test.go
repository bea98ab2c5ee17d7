package docs_test

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A reading map in a package comment names every file of the package, and no missing
// file. It may name tests, too.
func TestReadingMapsNameEveryFile(t *testing.T) {
	for dir, files := range packages(t) {
		documented := false
		for _, file := range files {
			comment := packageComment(t, filepath.Join(dir, file))
			_, readingMap, found := strings.Cut(comment, "Reading map")
			if !found {
				continue
			}
			if documented {
				t.Errorf("%s has two reading maps", dir)
			}
			documented = true
			checkMap(t, dir, file, files, readingMap)
		}
	}
}

// checkMap compares a reading map in one of the files of a package with all of them.
func checkMap(t *testing.T, dir, holder string, files []string, readingMap string) {
	t.Helper()
	var named []string
	for _, match := range regexp.MustCompile(`(?:^|[^\w./*])([\w*]+\.go)\b`).FindAllStringSubmatch(readingMap, -1) {
		named = append(named, match[1])
		if !slices.ContainsFunc(files, func(file string) bool { return matches(match[1], file) }) {
			t.Errorf("the reading map in %s/%s names %s, which is missing", dir, holder, match[1])
		}
	}
	for _, file := range files {
		mapped := slices.ContainsFunc(named, func(name string) bool { return matches(name, file) })
		if !mapped && file != holder && !strings.HasSuffix(file, "_test.go") && !strings.HasPrefix(file, "zz_generated") {
			t.Errorf("the reading map in %s/%s lacks %s", dir, holder, file)
		}
	}
}

func matches(pattern, file string) bool {
	ok, err := filepath.Match(pattern, file)
	return ok && err == nil
}

// The table of packages in architecture.md names every package of actors and internal,
// and no missing one. The packages below a package need no entry.
func TestArchitectureNamesEveryPackage(t *testing.T) {
	text, err := os.ReadFile("architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| room | holds |")
	table, _, _ = strings.Cut(table, "\n\n")
	var named []string
	for line := range strings.Lines(table) {
		cell, _, _ := strings.Cut(strings.TrimPrefix(line, "|"), "|")
		for _, match := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cell, -1) {
			named = append(named, match[1])
			if info, err := os.Stat(filepath.Join("..", match[1])); err != nil || !info.IsDir() {
				t.Errorf("architecture.md names %s, which is missing", match[1])
			}
		}
	}
	for dir := range packages(t) {
		parts := strings.Split(filepath.ToSlash(dir), "/")[1:]
		if len(parts) > 1 && (parts[0] == "actors" || parts[0] == "internal") && !slices.Contains(named, parts[0]+"/"+parts[1]) {
			t.Errorf("architecture.md lacks %s/%s", parts[0], parts[1])
		}
	}
}

// packages returns the Go files of every directory that has some.
func packages(t *testing.T) map[string][]string {
	t.Helper()
	files := map[string][]string{}
	for _, path := range sourceFiles(t, ".go") {
		dir := filepath.Dir(path)
		files[dir] = append(files[dir], filepath.Base(path))
	}
	return files
}

func packageComment(t *testing.T, path string) string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.PackageClauseOnly|parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	return file.Doc.Text()
}
