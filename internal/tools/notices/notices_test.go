package main

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

func TestLicenceFileNames(t *testing.T) {
	for name, want := range map[string]bool{
		"LICENSE": true, "LICENSE.txt": true, "License.md": true, "LICENCE": true, "LICENSE-APACHE": true,
		"COPYING": true, "NOTICE": true, "NOTICES.txt": true, "PATENTS": true, "COPYRIGHT": true, "UNLICENSE": true,
		"license.go": false, "notice_test.go": false, "licensing": false, "README.md": false, "copy": false,
	} {
		if got := isLicence(name); got != want {
			t.Errorf("isLicence(%q) is %t", name, got)
		}
	}
}

func TestParseListKeepsForeignModules(t *testing.T) {
	const list = `{"Dir": "/go/src/fmt", "Standard": true}
		{"Dir": "/own/cmd", "Module": {"Path": "own", "Main": true, "Dir": "/own"}}
		{"Dir": "/mod/a/b", "Module": {"Path": "a", "Version": "v1", "Dir": "/mod/a"}}
		{"Dir": "/mod/r", "Module": {"Path": "c", "Version": "v0", "Replace": {"Path": "r", "Version": "v2", "Dir": "/mod/r"}}}`
	got, err := parseList(strings.NewReader(list), "go1.26", "/go")
	want := []linked{{"Go go1.26", "/go", "/go/src/fmt"}, {"a v1", "/mod/a", "/mod/a/b"}, {"r v2", "/mod/r", "/mod/r"}}
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("got %v, %v, want %v", got, err, want)
	}
	build := &debug.BuildInfo{Deps: []*debug.Module{
		{Path: "a", Version: "v1"}, {Path: "c", Version: "v0", Replace: &debug.Module{Path: "r", Version: "v2"}}, {Path: "d", Version: "v3"},
	}}
	if missing := notListed(build, got); !slices.Equal(missing, []string{"d v3"}) {
		t.Errorf("missing modules: %v", missing)
	}
	if _, err := parseList(strings.NewReader("{"), "", ""); err == nil {
		t.Error("a list that is cut was accepted")
	}
}

func TestLicencesOfNestedPackages(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"a/LICENSE": "MIT \r\n\n", "a/NOTICE": "by A\n", "a/x/third/COPYING": "BSD\n", "a/other/LICENSE": "not linked\n",
		"b/LICENSE": "\nMIT\n", "c/c.go": "package c\n",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	below := func(names ...string) string { return filepath.Join(append([]string{root}, names...)...) }
	texts := make(licences)
	for _, p := range []linked{
		{"b v2", below("b"), below("b")},
		{"a v1", below("a"), below("a", "x", "third")},
	} {
		if err := texts.add(p); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	if err := texts.write(&out); err != nil {
		t.Fatal(err)
	}
	line := strings.Repeat("=", 78) + "\n"
	want := head + "\n" + line + "a v1 (LICENSE)\nb v2 (LICENSE)\n\nMIT\n" +
		"\n" + line + "a v1 (NOTICE)\n\nby A\n" +
		"\n" + line + "a v1 (x/third/COPYING)\n\nBSD\n"
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
	for _, p := range []linked{{"c v1", below("c"), below("c")}, {"d v1", "", ""}, {"a v1", below("a"), below("b")}} {
		if err := texts.add(p); err == nil {
			t.Errorf("no error for %v", p)
		}
	}
}
