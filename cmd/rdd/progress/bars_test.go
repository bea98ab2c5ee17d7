package progress

import (
	"strings"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/terminal"
)

func TestBarsPrintChangesElsewhere(t *testing.T) {
	var out strings.Builder
	b := NewBars(&out)
	b.Show([]Bar{{Status: "waits"}})
	b.Show([]Bar{{Name: "a", Status: "Downloading", Current: 1, Total: 2}, {Name: "b", Status: "Waiting"}})
	b.Show([]Bar{{Name: "a", Status: "Downloading", Current: 2, Total: 2}, {Name: "b", Status: "Waiting"}})
	b.Show([]Bar{{Name: "a", Status: "Pull complete", Done: true}, {Name: "b", Status: "Waiting"}})
	b.Close()
	if want := "waits\na: Downloading\nb: Waiting\na: Pull complete\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

func TestBarsRedrawOnTerminal(t *testing.T) {
	var out strings.Builder
	b := NewBars(&out)
	b.size = func() (int, int) { return 100, 24 }
	b.Show([]Bar{{Name: "a", Status: "Downloading", Current: 5e6, Total: 10e6}, {Name: "b", Status: "Waiting"}})
	want := "\r\x1b[Ka: Downloading [" + strings.Repeat("=", 25) + ">" + strings.Repeat(" ", 25) + "]      5MB/10MB\n\r\x1b[Kb: Waiting\n"
	if out.String() != want {
		t.Errorf("%q, want\n%q", out.String(), want)
	}
	out.Reset()
	b.Show([]Bar{{Name: "a", Status: "Pull complete", Done: true}})
	if want := "\x1b[2A\r\x1b[Ka: Pull complete\n\r\x1b[K\n\x1b[1A"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

func TestBarsFitIntoTerminal(t *testing.T) {
	bars := []Bar{{Name: "a", Done: true}, {Name: "b"}, {Name: "c", Done: true}, {Name: "d"}, {Name: "e"}}
	for rows, want := range map[int]string{9: "abcde", 5: "abcde", 4: "bcde", 3: "bde", 2: "de", 0: "e"} {
		got := ""
		for _, bar := range fitting(bars, rows) {
			got += bar.Name
		}
		if got != want {
			t.Errorf("%d rows: %q, want %q", rows, got, want)
		}
	}
}

func TestBarKeepsBytes(t *testing.T) {
	half := Bar{Name: "5e0a9f1c2b7d", Status: "Downloading", Current: 5e6, Total: 10e6}
	for _, test := range []struct {
		bar     Bar
		columns int
		want    string
	}{
		{half, 99, "5e0a9f1c2b7d: Downloading [" + strings.Repeat("=", 25) + ">" + strings.Repeat(" ", 25) + "]      5MB/10MB"},
		{half, 79, "5e0a9f1c2b7d: Downloading [" + strings.Repeat("=", 18) + ">" + strings.Repeat(" ", 18) + "]      5MB/10MB"},
		{half, 40, "5e0a9f1c2b7d: Downloading 5MB/10MB"},
		{half, 20, "5e0a9f1c2b… 5MB/10MB"},
		{Bar{Name: "日本", Status: "語語語", Current: 1, Total: 2}, 14, "日本: … 1B/2B"},
		{Bar{Name: "a", Status: "Pull complete", Done: true, Total: 5}, 79, "a: Pull complete"},
		{Bar{Status: "waits for\nthe engine"}, 12, "waits for; …"},
	} {
		got := test.bar.line(test.columns)
		if got != test.want || terminal.Width(got) > test.columns {
			t.Errorf("%d columns: %q (%d), want %q", test.columns, got, terminal.Width(got), test.want)
		}
	}
	for columns := range 120 {
		if got := (Bar{Name: "日本語", Status: "Extracting", Current: 7e9, Total: 8e9}).line(columns); terminal.Width(got) > columns {
			t.Errorf("%d columns: %q", columns, got)
		}
	}
}
