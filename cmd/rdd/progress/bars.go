package progress

import (
	"fmt"
	"io"
	"strings"

	"github.com/docker/go-units"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/terminal"
)

// Bars shows several operations at once, such as the layers of an image. On a terminal it
// redraws one line with a bar for each of them; elsewhere it prints a line whenever the
// status of one changes. It is not safe for concurrent use.
type Bars struct {
	out io.Writer
	// size returns columns and rows; nil if out is not a terminal.
	size func() (columns, rows int)
	// drawn is how many lines are on the terminal.
	drawn int
	// printed is the last status of each operation elsewhere.
	printed map[string]string
}

// Bar is one operation.
type Bar struct {
	// Name of the operation; empty for a remark about all of them.
	Name   string
	Status string
	// Current and Total bytes. There is no bar while Total is 0.
	Current, Total int64
	Done           bool
}

// NewBars returns Bars that write to out. The caller must call Close.
func NewBars(out io.Writer) *Bars {
	return &Bars{out: out, size: terminal.Redrawn(out), printed: map[string]string{}}
}

// Show shows the present state of all operations.
func (b *Bars) Show(bars []Bar) {
	if b.size == nil {
		b.print(bars)
		return
	}
	columns, rows := b.size()
	lines := make([]string, 0, len(bars))
	for _, bar := range fitting(bars, rows-1) {
		lines = append(lines, bar.line(columns-1))
	}
	b.draw(lines)
}

// Close leaves what was shown, and ends the redrawing.
func (b *Bars) Close() { b.drawn = 0 }

// print prints what has changed.
func (b *Bars) print(bars []Bar) {
	for _, bar := range bars {
		if b.printed[bar.Name] == bar.Status {
			continue
		}
		b.printed[bar.Name] = bar.Status
		fmt.Fprintln(b.out, bar.label())
	}
}

// draw replaces the lines on the terminal.
func (b *Bars) draw(lines []string) {
	var text strings.Builder
	if b.drawn > 0 {
		fmt.Fprintf(&text, "\x1b[%dA", b.drawn)
	}
	for _, line := range lines {
		fmt.Fprintf(&text, "\r\x1b[K%s\n", line)
	}
	for range b.drawn - len(lines) {
		text.WriteString("\r\x1b[K\n")
	}
	if more := b.drawn - len(lines); more > 0 {
		fmt.Fprintf(&text, "\x1b[%dA", more)
	}
	b.drawn = len(lines)
	_, _ = io.WriteString(b.out, text.String())
}

// fitting returns the bars that fit in rows lines. Those that are done are left out first.
func fitting(bars []Bar, rows int) []Bar {
	surplus := len(bars) - max(1, rows)
	out := make([]Bar, 0, len(bars))
	for _, bar := range bars {
		if bar.Done && surplus > 0 {
			surplus--
			continue
		}
		out = append(out, bar)
	}
	return out[max(0, surplus):]
}

// maxBar is the greatest number of columns of a bar.
const maxBar = 50

// line returns a line, at most columns wide, with a bar in the form that docker made
// known. If there is no room, the bar is left out, and then the label is cut. The
// numbers of bytes stay.
func (b Bar) line(columns int) string {
	label := terminal.Line(b.label())
	if b.Done || b.Total <= 0 {
		return terminal.Cut(label, columns)
	}
	bytes := fmt.Sprintf("%8s/%s", units.HumanSize(float64(b.Current)), units.HumanSize(float64(b.Total)))
	width := min(maxBar, columns-len(bytes)-terminal.Width(label)-len(" [>] "))
	if width < 10 {
		bytes = " " + strings.TrimLeft(bytes, " ")
		return terminal.Cut(terminal.Cut(label, columns-len(bytes))+bytes, columns)
	}
	filled := int(float64(width) * max(0, min(1, float64(b.Current)/float64(b.Total))))
	return fmt.Sprintf("%s [%-*s] %s", label, width+1, strings.Repeat("=", filled)+">", bytes)
}

func (b Bar) label() string {
	if b.Name == "" {
		return b.Status
	}
	return b.Name + ": " + b.Status
}
