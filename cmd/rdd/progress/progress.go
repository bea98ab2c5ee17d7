// Package progress shows what long work waits for: one line that is drawn anew
// on a terminal, a plain line for each change everywhere else.
package progress

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// redraw is how often the elapsed time is drawn anew on a terminal.
const redraw = 200 * time.Millisecond

// Progress shows one piece of work. It may be used from several goroutines.
type Progress struct {
	out   io.Writer
	width func() int // nil when out is no terminal
	start time.Time
	stop  chan struct{}

	mu   sync.Mutex
	text string
	// since is when text was set.
	since time.Time
	open  bool // a line is drawn and not ended
	done  bool
}

// New shows progress on out. Close must be called at the end.
func New(out io.Writer) *Progress {
	p := &Progress{out: out, start: time.Now(), stop: make(chan struct{})}
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) && os.Getenv("TERM") != "dumb" {
		p.width = func() int {
			if w, _, err := term.GetSize(int(file.Fd())); err == nil && w > 0 {
				return w
			}
			return 80
		}
		go p.tick()
	}
	return p
}

// Update says what is being waited for now. The same text again draws nothing.
func (p *Progress) Update(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done || text == "" || text == p.text {
		return
	}
	p.text, p.since = text, time.Now()
	if p.width == nil {
		fmt.Fprintf(p.out, "%s\n", text)
		return
	}
	p.draw()
}

// Erase takes the updating line away for now, so that something else can be printed.
func (p *Progress) Erase() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
}

// Elapsed is the time since New.
func (p *Progress) Elapsed() time.Duration { return time.Since(p.start) }

// Close takes the updating line away.
func (p *Progress) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done {
		return
	}
	p.done = true
	close(p.stop)
	p.erase()
}

func (p *Progress) tick() {
	ticker := time.NewTicker(redraw)
	defer ticker.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-ticker.C:
			p.mu.Lock()
			if p.text != "" && !p.done {
				p.draw()
			}
			p.mu.Unlock()
		}
	}
}

func (p *Progress) draw() {
	line := []rune(p.line(time.Now()))
	if width := p.width(); len(line) >= width {
		line = append(line[:max(0, width-2)], '…')
	}
	fmt.Fprintf(p.out, "\r\x1b[K%s", string(line))
	p.open = true
}

// line is the text with the time that this step has taken, and that all of it
// has.
func (p *Progress) line(now time.Time) string {
	text := strings.ReplaceAll(p.text, "\n", "; ")
	step, all := tenths(now.Sub(p.since)), tenths(now.Sub(p.start))
	if step == all {
		return fmt.Sprintf("%s (%s)", text, all)
	}
	return fmt.Sprintf("%s (%s, in all %s)", text, step, all)
}

func tenths(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }

func (p *Progress) erase() {
	if p.open {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.open = false
	}
}
