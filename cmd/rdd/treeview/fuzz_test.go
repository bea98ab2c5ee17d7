package treeview

import (
	"strings"
	"testing"
	"time"
)

// FuzzDraw checks that each actor is drawn once, whatever its name.
func FuzzDraw(f *testing.F) {
	f.Add("root\x00root/engine\x00root/engine/container/c1\x00root/engine/container/c2", "boom\nat")
	f.Add("/\x00//\x00a//b\x00\x00a", "")
	f.Fuzz(func(t *testing.T, names, failure string) {
		var nodes []Node
		seen := map[string]bool{}
		for name := range strings.SplitSeq(names, "\x00") {
			if !seen[name] && !strings.ContainsAny(name, "\n\f\v\t") {
				nodes = append(nodes, Node{Name: name, State: "idle", LastFailure: failure})
			}
			seen[name] = true
		}
		for _, all := range []bool{true, false} {
			var b strings.Builder
			if err := Draw(&b, nodes, time.Unix(1, 0), all); err != nil {
				t.Fatal(err)
			}
			if lines := strings.Count(b.String(), "\n") - 1; all && lines != len(nodes) && !strings.ContainsAny(failure, "\f\v") {
				t.Fatalf("%d lines for %d actors:\n%s", lines, len(nodes), b.String())
			}
		}
	})
}
