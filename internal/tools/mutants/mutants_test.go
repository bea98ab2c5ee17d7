package main

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../../.."

// The defects are refreshed with the code that they change, so that the list does not rot.
func TestEveryDefectApplies(t *testing.T) {
	defects, err := readDefects("defects")
	if err != nil {
		t.Fatal(err)
	}
	groups := map[string]int{}
	for i := range defects {
		d := &defects[i]
		groups[d.group]++
		checkTargets(t, d)
		for _, f := range d.files {
			original, err := os.ReadFile(filepath.Join(root, f.path))
			if err != nil {
				t.Errorf("defect %s: %v", d.name, err)
				continue
			}
			changed, err := f.apply(string(original))
			if err != nil {
				t.Errorf("defect %s: %v", d.name, err)
				continue
			}
			if _, err := parser.ParseFile(token.NewFileSet(), f.path, changed, 0); err != nil {
				t.Errorf("defect %s: %v", d.name, err)
			}
		}
	}
	if len(defects) < 80 || groups["simulation"] < 35 || groups["chaos"] < 8 {
		t.Errorf("%d defects: %v", len(defects), groups)
	}
}

// checkTargets fails unless the tests that a defect names exist.
func checkTargets(t *testing.T, d *defect) {
	t.Helper()
	for _, path := range append(d.packages, d.bats) {
		if _, err := os.Stat(filepath.Join(root, path)); err != nil {
			t.Errorf("defect %s: %v", d.name, err)
		}
	}
}

const sample = `# Users lose
# everything.
#
# Group: requests
# Layers: unit simulation
# Unit: ./a ./b
# Run: ^TestOne$
--- a/a/a.go
+++ b/a/a.go
@@ -2,2 +2,2 @@
 two
-three
+3
--- a/b/b.go
+++ b/b/b.go
@@ -1,1 +1,2 @@
 one
+two
`

func TestParseDefect(t *testing.T) {
	d, err := parseDefect("sample", sample)
	if err != nil {
		t.Fatal(err)
	}
	if d.harm != "Users lose everything." || d.group != "requests" || len(d.layers) != 2 || len(d.packages) != 2 || d.tests != "^TestOne$" {
		t.Errorf("%+v", d)
	}
	if dirs := d.touched(); len(dirs) != 2 || dirs[0] != "a" || dirs[1] != "b" {
		t.Errorf("touched %v", dirs)
	}
	got, err := d.files[0].apply("one\ntwo\nthree\n")
	if err != nil || got != "one\ntwo\n3\n" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestParseDefectRefusesIncompleteOne(t *testing.T) {
	for _, missing := range []string{"# Users lose\n# everything.\n", "# Group: requests\n", "# Layers: unit simulation\n", "# Unit: ./a ./b\n", "+++ b/a/a.go\n"} {
		text := strings.Replace(sample, missing, "", 1)
		if missing == "+++ b/a/a.go\n" {
			text = strings.Replace(sample, missing, "+++ b/c/c.go\n", 1)
		}
		if _, err := parseDefect("sample", text); err == nil {
			t.Errorf("without %q: no error", missing)
		}
	}
	if _, err := parseDefect("sample", strings.Replace(sample, "unit simulation", "unit prayer", 1)); err == nil {
		t.Error("unknown layer: no error")
	}
}

func TestApplyChoosesNearestLines(t *testing.T) {
	f := filePatch{path: "a.go", hunks: []hunk{{line: 5, old: []string{"x"}, new: []string{"y"}}}}
	got, err := f.apply("x\na\nb\nc\nd\nx\n")
	if err != nil || got != "x\na\nb\nc\nd\ny\n" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := f.apply("a\n"); err == nil || !strings.Contains(err.Error(), "refresh the diff") {
		t.Errorf("changed file: %v", err)
	}
}

func TestFindingsNameWhatFailed(t *testing.T) {
	unitOutput := "--- FAIL: TestA (0.01s)\n    --- FAIL: TestA/one (0.00s)\n        a_test.go:1: wrong\nFAIL\n"
	if got := findings(unit, unitOutput); len(got) != 2 || got[0] != "TestA" || got[1] != "TestA/one" {
		t.Errorf("unit: %q", got)
	}
	if got := findings(unit, "panic: runtime error: nil\n\ngoroutine 1"); len(got) != 1 || got[0] != "panic: runtime error: nil" {
		t.Errorf("panic: %q", got)
	}
	simulated := "    sim_test.go:56: seed 22 broke a law:\n          the delete was forgotten\n        the end of its trace:\n"
	if got := findings(simulation, simulated); len(got) != 1 || got[0] != "the delete was forgotten" {
		t.Errorf("simulation: %q", got)
	}
	attacked := "round 1: kill rdd\nVIOLATION in round 1 of seed 42: kill rdd\n  a run was reported, and refused\nthe last steps:\n"
	if got := findings(chaos, attacked); len(got) != 1 || got[0] != "a run was reported, and refused" {
		t.Errorf("chaos: %q", got)
	}
	if got := findings(bats, "ok 1 starts in 10ms\nnot ok 2 stops in 20ms\n"); len(got) != 1 || got[0] != "stops" {
		t.Errorf("bats: %q", got)
	}
}
