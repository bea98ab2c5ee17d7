package progress

import (
	"strings"
	"testing"
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
	for _, columns := range []int{1, 10, 40, 60, 200} {
		if line := cut((Bar{Name: "a", Status: "Downloading", Current: 9, Total: 8}).line(columns), columns-1); len([]rune(line)) >= max(2, columns) {
			t.Errorf("%d columns: %q", columns, line)
		}
	}
}
