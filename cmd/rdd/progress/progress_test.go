package progress

import (
	"strings"
	"testing"
	"time"
)

func TestPlainOutputHasLinePerChange(t *testing.T) {
	var out strings.Builder
	p := New(&out)
	for _, text := range []string{"a", "a", "", "b", "b", "a"} {
		p.Update(text)
	}
	p.Erase()
	p.Close()
	p.Close()
	p.Update("late")
	if out.String() != "a\nb\na\n" {
		t.Errorf("%q", out.String())
	}
}

func TestTerminalLineIsRedrawnAndErased(t *testing.T) {
	var out strings.Builder
	p := New(&out)
	p.width = func() int { return 10 }
	p.Update("a very long text that does not fit")
	p.Close()
	const erase = "\r\x1b[K"
	if want := erase + "a very l…" + erase; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

func TestLineShowsStepAndTotalTime(t *testing.T) {
	start := time.Now()
	p := &Progress{start: start, since: start.Add(2300 * time.Millisecond), text: "booting"}
	if got, want := p.line(start.Add(9340*time.Millisecond)), "booting (7s, total 9.3s)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	p.since = start
	if got, want := p.line(start.Add(1200*time.Millisecond)), "booting (1.2s)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
