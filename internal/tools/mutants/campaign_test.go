package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// tree creates a module with a package, and a defect of it.
func tree(t *testing.T, defect string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"go.mod":        "module example.com/tree\n\ngo 1.24\n",
		"a/a.go":        "package a\n\nfunc Sum(a, b int) int {\n\treturn a + b\n}\n",
		"a/a_test.go":   "package a\n\nimport \"testing\"\n\nfunc TestSum(t *testing.T) {\n\tif Sum(1, 2) != 3 {\n\t\tt.Error(\"wrong\")\n\t}\n}\n",
		"d/wrong.patch": "# A sum is wrong.\n#\n# Group: requests\n# Layers: unit\n# Unit: ./a\n--- a/a/a.go\n+++ b/a/a.go\n@@ -4,1 +4,1 @@\n-\treturn a + b\n+\t" + defect + "\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func run1(t *testing.T, dir string, execute executor) (string, error) {
	t.Helper()
	defects, err := readDefects(filepath.Join(dir, "d"))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	c := &campaign{
		options: options{root: dir, out: filepath.Join(dir, "out"), pattern: regexp.MustCompile(""), layers: []layer{unit}},
		printed: &out, execute: execute, passed: map[string]bool{},
	}
	err = c.run(t.Context(), defects)
	return out.String(), err
}

func TestDefectIsFound(t *testing.T) {
	dir := tree(t, "return a - b")
	out, err := run1(t, dir, execute)
	if err != nil || !strings.Contains(out, "wrong: found by unit: TestSum") {
		t.Fatalf("%v: %s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(dir, "a/a.go"))
	if err != nil || !strings.Contains(string(text), "a + b") {
		t.Errorf("the tree has changed: %s, %v", text, err)
	}
	table, err := os.ReadFile(filepath.Join(dir, "out/table.md"))
	if err != nil || !strings.Contains(string(table), "| wrong | requests | TestSum |") {
		t.Errorf("table %s, %v", table, err)
	}
	never := func(context.Context, string, command) (string, bool, error) {
		t.Error("a layer was asked again")
		return "", false, nil
	}
	if out, err := run1(t, dir, never); err != nil || !strings.Contains(out, "(kept)") {
		t.Errorf("second run: %v: %s", err, out)
	}
}

func TestDefectSurvives(t *testing.T) {
	out, err := run1(t, tree(t, "return b + a"), execute)
	if err == nil || !strings.Contains(err.Error(), "no layer has found wrong") || !strings.Contains(out, "NOT FOUND") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestDefectThatDoesNotCompileIsError(t *testing.T) {
	_, err := run1(t, tree(t, "return a -"), execute)
	if err == nil || !strings.Contains(err.Error(), "defect wrong does not compile") {
		t.Errorf("%v", err)
	}
}

func TestDefectThatDoesNotApplyIsError(t *testing.T) {
	dir := tree(t, "return a - b")
	if err := os.WriteFile(filepath.Join(dir, "a/a.go"), []byte("package a\n\nfunc Sum(a, b int) int { return a + b }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := run1(t, dir, execute)
	if err == nil || !strings.Contains(err.Error(), "defect wrong does not apply") {
		t.Errorf("%v", err)
	}
}

func TestFailureWithoutDefectIsError(t *testing.T) {
	dir := tree(t, "return a - b")
	_, err := run1(t, dir, func(_ context.Context, _ string, c command) (string, bool, error) {
		return "--- FAIL: TestSum", !strings.Contains(strings.Join(c.args, " "), "-overlay"), nil
	})
	if err == nil || !strings.Contains(err.Error(), "fails without a defect") {
		t.Errorf("%v", err)
	}
}

// A defect that was not found is asked about again when its tests have changed, and one
// that was found when its code has.
func TestOutcomeValidity(t *testing.T) {
	found, missed := outcome{Found: true, Code: "c", Tests: "t"}, outcome{Code: "c", Tests: "t"}
	if !found.isValid("c", "u") || found.isValid("d", "t") || missed.isValid("c", "u") || !missed.isValid("c", "t") {
		t.Error("wrong")
	}
}
