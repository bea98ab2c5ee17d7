package progress

import (
	"strings"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/terminal"
)

func TestFitKeepsTimesAndCounts(t *testing.T) {
	const times = " (12.3s, total 45.6s)"
	const mirrors = "waiting for the engine's objects to be mirrored: connected, mirroring: "
	for _, test := range []struct {
		name, text string
		columns    int
		want       string
	}{
		{"short", "starting dockerd", 79, "starting dockerd" + times},
		{"words are cut", "waiting for the engine to run: waiting for dockerd (pid 4711) to answer", 79, "waiting for the engine to run: waiting for dockerd (pid 4…" + times},
		{"counts stay", mirrors + "images 12/300", 79, "waiting for the engine's objects to be mir…: images 12/300" + times},
		{"complete counts go", mirrors + "containers 700/700, images 12/300, volumes 80/80, networks 3/3", 79, "waiting for the engine's objects to be mir…: images 12/300" + times},
		{"sum", mirrors + "containers 1/1000, images 12/3000, volumes 4/80, networks 1/3", 60, "waiting for the engine's obje…: 18/4083" + times},
		{"sum only", mirrors + "containers 1/1000, images 12/3000", 31, "13/4000" + times},
		{"no counts", "cut: a 1/2, b", 25, "cut…" + times},
		{"attempt stays", "waiting for the engine to run: starting the engine (attempt 12)", 60, "waiting for the engine to…" + " (attempt 12)" + times},
		{"lines", "one\ntwo", 79, "one; two" + times},
		{"wide", "日本語日本語", 28, "日本語…" + times},
		{"combining", strings.Repeat("e\u0301", 30), 26, strings.Repeat("e\u0301", 4) + "…" + times},
		{"narrow", "a text", 8, " (12.3s…"},
	} {
		got := fit(test.text, times, test.columns)
		if got != test.want || terminal.Width(got) > test.columns {
			t.Errorf("%s: %q (%d columns)\nwant %q", test.name, got, terminal.Width(got), test.want)
		}
	}
}
