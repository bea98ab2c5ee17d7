package progress

import (
	"strings"
	"testing"
	"testing/synctest"
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
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		p := New(&out)
		p.size = func() (int, int) { return 16, 24 }
		p.Update("a very long text that does not fit")
		p.Close()
		const erase = "\r\x1b[K"
		if want := erase + "a very lo… (0s)" + erase; out.String() != want {
			t.Errorf("%q, want %q", out.String(), want)
		}
	})
}

func TestTimesAreOfStepAndTotal(t *testing.T) {
	start := time.Now()
	p := &Progress{start: start, since: start.Add(2300 * time.Millisecond)}
	if got, want := p.times(start.Add(9340*time.Millisecond)), " (7s, total 9.3s)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	p.since = start
	if got, want := p.times(start.Add(1200*time.Millisecond)), " (1.2s)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestReasonIsShownOnce(t *testing.T) {
	const reason = "dockerd (pid 7) ended at 12:00:01\n  no space"
	for name, test := range map[string]struct {
		size func() (int, int)
		want string
	}{
		"plain":    {nil, "starting\n" + reason + "\nother reason\n"},
		"terminal": {func() (int, int) { return 20, 24 }, "\r\x1b[Kstarting (0s)\r\x1b[Kdockerd (pid 7)\nended at 12:00:01\n  no space\n\r\x1b[Kstarting (0s)\r\x1b[Kother reason\n\r\x1b[Kstarting (0s)\r\x1b[K"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var out strings.Builder
			p := New(&out)
			p.size = test.size
			p.Update("starting")
			p.Reason("")
			p.Reason(reason)
			p.Reason("dockerd (pid 89) ended at 12:00:31\n  no space")
			if !p.HasShown("dockerd (pid 3) ended at 12:00:31\n  no space") || p.HasShown("other reason") {
				t.Error("HasShown is wrong")
			}
			p.Reason("other reason")
			p.Close()
			p.Reason("late")
			if out.String() != test.want {
				t.Errorf("%s: %q, want %q", name, out.String(), test.want)
			}
		})
	}
}
