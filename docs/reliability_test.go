package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The document has every row of the failure table, and every test that it names exists.
func TestReliabilityNamesExistingTests(t *testing.T) {
	text, err := os.ReadFile("reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	for row := range strings.FieldsSeq("C1 I1 I2 I3 I4 I5 I6 I7 I8 S1 S2 S3 S4 S5 S6 T7 T8 T9 T11 E1 E2 E3 E4 E5 E6 E7 E8 E9 E10 F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 F11") {
		if !strings.Contains(string(text), "\n| "+row+" | ") {
			t.Errorf("no row %s", row)
		}
	}
	// A conformance suite, which is no test file, names its subtests.
	tests, all := textOf(t, "_test.go"), textOf(t, ".go")
	for _, name := range testName.FindAllStringSubmatch(string(text), -1) {
		checkTest(t, tests, all, name[1], name[2], name[3] != "")
	}
	for _, browser := range browserTest.FindAllStringSubmatch(string(text), -1) {
		checkBrowserTest(t, browser[1], browser[2])
	}
	for _, files := range regexp.MustCompile(`bats: ([a-z, ]+)`).FindAllStringSubmatch(string(text), -1) {
		for file := range strings.SplitSeq(files[1], ",") {
			path := filepath.Join("..", "bats", strings.TrimSpace(file)+".bats")
			if _, err := os.Stat(path); err != nil {
				t.Error(err)
			}
		}
	}
}

// browserTest matches the file and the title of a test of the page.
var browserTest = regexp.MustCompile("`([a-z]+\\.test\\.mjs)`: ([^;|]+[^;| ])")

// checkBrowserTest fails unless a file has the test. A title that depends on an address ends
// or begins with PORT.
func checkBrowserTest(t *testing.T, file, title string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "page", "test", file))
	if err != nil {
		t.Fatal(err)
	}
	declaration := "test('" + title + "'"
	if fixed, ok := strings.CutSuffix(title, " PORT"); ok {
		declaration = "test(`" + fixed + " ${"
	} else if fixed, ok := strings.CutPrefix(title, "PORT "); ok {
		declaration = "} " + fixed + "`"
	}
	if !strings.Contains(string(text), declaration) {
		t.Errorf("%s has no test %q", file, title)
	}
}

// testName matches the name of a test, its subtests, and an ellipsis where the
// document shortens the last of these.
var testName = regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)((?:/[A-Za-z0-9]+)*)(…?)")

// checkTest fails unless the test exists, and a string literal begins with the name
// of each subtest.
func checkTest(t *testing.T, tests, all, name, subtests string, short bool) {
	t.Helper()
	declaration := "func " + name
	if !short || subtests != "" {
		declaration += "("
	}
	if !strings.Contains(tests, declaration) {
		t.Errorf("there is no test %s", name)
	}
	parts := strings.Split(subtests, "/")[1:]
	for i, part := range parts {
		literal := `"` + part
		if !short || i < len(parts)-1 {
			literal += `"`
		}
		if !strings.Contains(all, literal) {
			t.Errorf("the test %s has no subtest %s", name, part)
		}
	}
}

// textOf returns the text of all files with this suffix.
func textOf(t *testing.T, suffix string) string {
	t.Helper()
	var all strings.Builder
	for _, path := range sourceFiles(t, suffix) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

// sourceFiles returns the paths of all files of the tree with this suffix.
func sourceFiles(t *testing.T, suffix string) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") && entry.Name() != ".." || entry.Name() == "node_modules") {
			return fs.SkipDir
		}
		if strings.HasSuffix(path, suffix) {
			paths = append(paths, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}
