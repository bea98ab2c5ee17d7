package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hinshun/vt10x"
)

func TestPictureShowsCommandAndOutput(t *testing.T) {
	file := filepath.Join(t.TempDir(), "picture.svg")
	commands := "printf '<%s>\\n' one\n\nprintf '\\e[31mred\\e[0m\\n'; test -t 1\n"
	if err := run(t.Context(), strings.NewReader(commands), 40, 6, "a & b", file); err != nil {
		t.Fatal(err)
	}
	svg, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for decoder := xml.NewDecoder(strings.NewReader(string(svg))); ; {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the picture is not well-formed: %v", err)
		}
	}
	for _, want := range []string{"<title>a &amp; b</title>", ">&lt;one&gt;</tspan>", `class="c1">red</tspan>`, `class="c2">$</tspan>`} {
		if !strings.Contains(string(svg), want) {
			t.Errorf("the picture lacks %s", want)
		}
	}
}

func TestFailedCommandIsAnError(t *testing.T) {
	r := newRecorder(40, 6)
	err := r.run(t.Context(), "exit 3")
	if err == nil || !strings.Contains(err.Error(), `run "exit 3": exit status 3`) {
		t.Errorf("got the error %v", err)
	}
}

func TestEqualScreensAreOneFrame(t *testing.T) {
	r := newRecorder(10, 2)
	r.write("a")
	r.take()
	r.now += 2 * shortest
	r.take()
	r.write("b")
	r.take()
	r.now += shortest / 2
	r.write("c")
	r.take()
	if len(r.frames) != 2 || r.frames[1].at != 2*shortest || r.frames[1].screen[0][2].Char != 'c' {
		t.Errorf("got %d frames, want the first one and one with the short one replaced", len(r.frames))
	}
}

func TestLineHasOneElementPerStyle(t *testing.T) {
	plain := vt10x.Glyph{Char: 'a', FG: vt10x.DefaultFG, BG: vt10x.DefaultBG}
	bold := vt10x.Glyph{Char: '<', Mode: modeBold, FG: vt10x.Green, BG: vt10x.DefaultBG}
	empty := vt10x.Glyph{FG: vt10x.DefaultFG, BG: vt10x.DefaultBG}
	want := `<tspan x="0.0" textLength="16.8">aa</tspan><tspan x="16.8" textLength="8.4" class="c2 b">&lt;</tspan>`
	if got := line([]vt10x.Glyph{plain, plain, bold, empty}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := line([]vt10x.Glyph{empty, empty}); got != "" {
		t.Errorf("got %s for an empty line", got)
	}
}
