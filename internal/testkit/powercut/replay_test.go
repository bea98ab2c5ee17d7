package powercut

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// left returns the contents that a file has after many power cuts at the same moment,
// sorted; "none" for no file.
func left(t *testing.T, p *Replay, name string) []string {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	var all []string
	for range 200 {
		dir := t.TempDir()
		if err := p.Cut(random, dir); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			content = []byte("none")
		}
		if got := summary(content); !slices.Contains(all, got) {
			all = append(all, got)
		}
	}
	slices.Sort(all)
	return all
}

// summary writes a run of the same byte once.
func summary(content []byte) string {
	return string(slices.Compact(content))
}

func TestCutKeepsWhatWasSynced(t *testing.T) {
	r := &Record{}
	number := r.create("a")
	text := func(c string) []byte { return []byte(strings.Repeat(c, sector)) }
	for _, s := range []step{
		{operation: write, file: number, data: text("x")},
		{operation: syncFile, file: number},
		{operation: syncDirectory},
		{operation: write, file: number, data: slices.Concat(text("y"), text("z"))},
		{operation: syncFile, file: number},
		{operation: truncate, file: number, offset: sector},
		{operation: rename, name: "a", to: "b"},
		{operation: syncDirectory},
	} {
		r.add(s)
	}
	for name, test := range map[string]struct {
		steps int
		file  string
		want  []string
	}{
		"new file":             {2, "a", []string{"", "none", "x"}},
		"content without name": {3, "a", []string{"none", "x"}},
		"name and content":     {4, "a", []string{"x"}},
		"a torn write":         {5, "a", []string{"x", "y", "yz"}},
		"a synced write":       {6, "a", []string{"yz"}},
		"a truncation":         {7, "a", []string{"y", "yz"}},
		"a rename":             {8, "a", []string{"none", "y", "yz"}},
		"a synced rename":      {9, "a", []string{"none"}},
		"the new name":         {9, "b", []string{"y", "yz"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := r.NewReplay()
			p.Advance(test.steps)
			if got := left(t, p, test.file); !slices.Equal(got, test.want) {
				t.Errorf("left are %q, want %q", got, test.want)
			}
		})
	}
	p := r.NewReplay()
	p.Advance(r.Len())
	if got := summary(p.Current("b")); got != "y" || p.Current("a") != nil {
		t.Errorf("the program sees %q", got)
	}
}
