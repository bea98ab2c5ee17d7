// Package progress shows what a command is waiting for. On a terminal it redraws
// one line; elsewhere it prints a line for each change.
//
// Reading map: progress.go shows one operation, bars.go several, and fit.go cuts a line.
package progress

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/terminal"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/failuretext"
)

// redraw is the interval at which the elapsed time is redrawn on a terminal.
const redraw = 200 * time.Millisecond

// Progress shows one operation. It is safe for concurrent use.
type Progress struct {
	out io.Writer
	// size returns columns and rows; nil if out is not a terminal.
	size  func() (columns, rows int)
	start time.Time
	stop  chan struct{}

	mu   sync.Mutex
	text string
	// since is when text was set.
	since time.Time
	open  bool // a line is on the terminal
	done  bool
	// reasons are the reasons that were shown, without their numbers.
	reasons map[string]bool
}

// New returns a Progress that writes to out. The caller must call Close.
func New(out io.Writer) *Progress {
	p := &Progress{out: out, size: terminal.Redrawn(out), start: time.Now(), stop: make(chan struct{}), reasons: map[string]bool{}}
	if p.size != nil {
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
	if p.size == nil {
		fmt.Fprintf(p.out, "%s\n", text)
		return
	}
	p.draw()
}

// Reason shows in lines of its own why an attempt failed. It shows each reason once.
// Reasons that differ in numbers only, such as times and pids, are the same.
func (p *Progress) Reason(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	kind := failuretext.WithoutNumbers(text)
	if p.done || text == "" || p.reasons[kind] {
		return
	}
	p.reasons[kind] = true
	if p.size == nil {
		fmt.Fprintf(p.out, "%s\n", text)
		return
	}
	p.erase()
	columns, _ := p.size()
	for _, line := range terminal.Wrap(text, columns-1) {
		fmt.Fprintln(p.out, terminal.Line(line))
	}
	if p.text != "" {
		p.draw()
	}
}

// HasShown reports whether a reason was shown, possibly with other numbers.
func (p *Progress) HasShown(reason string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reasons[failuretext.WithoutNumbers(reason)]
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
	columns, _ := p.size()
	fmt.Fprintf(p.out, "\r\x1b[K%s", fit(p.text, p.times(time.Now()), columns-1))
	p.open = true
}

// times returns the time of this step and the total time.
func (p *Progress) times(now time.Time) string {
	step, total := tenths(now.Sub(p.since)), tenths(now.Sub(p.start))
	if step == total {
		return fmt.Sprintf(" (%s)", total)
	}
	return fmt.Sprintf(" (%s, total %s)", step, total)
}

func tenths(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }

func (p *Progress) erase() {
	if p.open {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.open = false
	}
}
