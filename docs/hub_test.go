package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// hub.md has every row of the failure table of a hub, and every test and file of tests that it
// names exists.
func TestHubNamesExistingTests(t *testing.T) {
	text, err := os.ReadFile("hub.md")
	if err != nil {
		t.Fatal(err)
	}
	const rows = 16
	for i := range rows {
		if row := fmt.Sprintf("\n| H%d | ", i+1); strings.Count(string(text), row) != 1 {
			t.Errorf("not one row H%d", i+1)
		}
	}
	tests, all := textOf(t, "_test.go"), textOf(t, ".go")
	for _, name := range testName.FindAllStringSubmatch(string(text), -1) {
		checkTest(t, tests, all, name[1], name[2], name[3] != "")
	}
	files, err := filepath.Glob("../bats/hub/*.bats")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !strings.Contains(string(text), "`bats/hub/"+filepath.Base(file)+"`") {
			t.Errorf("hub.md does not name %s", file)
		}
	}
}
