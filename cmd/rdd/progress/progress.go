// Package progress shows what a command is waiting for. On a terminal it redraws
// one line; elsewhere it prints a line for each change.
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

// redraw is the interval at which the elapsed time is redrawn on a terminal.
const redraw = 200 * time.Millisecond

// Progress shows one operation. It is safe for concurrent use.
type Progress struct {
	out   io.Writer
	width func() int // nil if out is not a terminal
	start time.Time
	stop  chan struct{}

	mu   sync.Mutex
	text string
	// since is when text was set.
	since time.Time
	open  bool // a line is on the terminal
	done  bool
}

// New returns a Progress that writes to out. The caller must call Close.
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

// Update sets the text of the line. An unchanged text prints nothing.
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

// Erase erases the line for now, so that other text can be printed.
func (p *Progress) Erase() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
}

// Elapsed returns the time since New.
func (p *Progress) Elapsed() time.Duration { return time.Since(p.start) }

// Close erases the line and ends the updates.
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

// line returns the text with the time of this step and the total time.
func (p *Progress) line(now time.Time) string {
	text := strings.ReplaceAll(p.text, "\n", "; ")
	step, total := tenths(now.Sub(p.since)), tenths(now.Sub(p.start))
	if step == total {
		return fmt.Sprintf("%s (%s)", text, total)
	}
	return fmt.Sprintf("%s (%s, total %s)", text, step, total)
}

func tenths(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }

func (p *Progress) erase() {
	if p.open {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.open = false
	}
}
