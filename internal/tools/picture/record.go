package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
)

// The made-up times of a recording.
const (
	// keysPerFrame characters are typed in the time of keysTime.
	keysPerFrame = 4
	keysTime     = 120 * time.Millisecond
	// pauseAfter is the time to read the output of a command, and pauseAtEnd that
	// after the last one.
	pauseAfter = 1500 * time.Millisecond
	pauseAtEnd = 5 * time.Second
	// Output that is visible for less than this is not a frame of its own.
	shortest = 60 * time.Millisecond
)

// cursor is what a frame shows at the position of the cursor.
const cursor = '█'

// screen has the lines of a terminal.
type screen [][]vt10x.Glyph

// frame is a screen that is visible from a time on.
type frame struct {
	at     time.Duration
	screen screen
}

// film is a recording. It has at least one frame.
type film struct {
	columns, rows int
	frames        []frame
	length        time.Duration
}

// recorder runs commands in one terminal after the other, and shows their output on
// one screen.
type recorder struct {
	terminal      vt10x.Terminal
	columns, rows int
	now           time.Duration
	frames        []frame
}

func newRecorder(columns, rows int) *recorder {
	return &recorder{terminal: vt10x.New(vt10x.WithSize(columns, rows)), columns: columns, rows: rows}
}

// run types a command at a prompt and runs it. It fails if the command does.
func (r *recorder) run(ctx context.Context, command string) error {
	r.write("\x1b[32m$\x1b[0m ")
	for keys := range slices.Chunk([]rune(command), keysPerFrame) {
		r.take()
		r.now += keysTime
		r.write("\x1b[1m" + string(keys) + "\x1b[0m")
	}
	r.take()
	r.now += keysTime
	r.write("\r\n")
	r.take()
	if err := r.follow(ctx, command); err != nil {
		return fmt.Errorf("run %q: %w", command, err)
	}
	r.take()
	r.now += pauseAfter
	return nil
}

// follow runs a command in a pseudo-terminal, and takes a frame after each output.
func (r *recorder) follow(ctx context.Context, command string) error {
	c := exec.CommandContext(ctx, "bash", "-c", command)
	c.Env = append(os.Environ(), "TERM=xterm-256color")
	master, err := pty.StartWithSize(c, &pty.Winsize{Cols: uint16(r.columns), Rows: uint16(r.rows)})
	if err != nil {
		return fmt.Errorf("start it in a pseudo-terminal: %w", err)
	}
	defer master.Close()
	started, began := time.Now(), r.now
	buffer := make([]byte, 64<<10)
	for {
		n, err := master.Read(buffer)
		r.now = began + time.Since(started)
		if err != nil { // EIO: no process has the terminal any more
			return c.Wait()
		}
		r.write(string(buffer[:n]))
		r.take()
	}
}

func (r *recorder) write(text string) {
	// A terminal in memory accepts everything.
	_, _ = r.terminal.Write([]byte(text))
}

// take adds the screen as a frame. It replaces the last frame if that is too short, or
// nothing if the screen is the same.
func (r *recorder) take() {
	next := frame{at: r.now, screen: r.snapshot()}
	if last := len(r.frames) - 1; last >= 0 {
		if equal(r.frames[last].screen, next.screen) {
			return
		}
		if next.at-r.frames[last].at < shortest {
			next.at = r.frames[last].at
			r.frames = r.frames[:last]
		}
	}
	r.frames = append(r.frames, next)
}

func (r *recorder) snapshot() screen {
	lines := make(screen, r.rows)
	for y := range lines {
		lines[y] = make([]vt10x.Glyph, r.columns)
		for x := range lines[y] {
			lines[y][x] = r.terminal.Cell(x, y)
		}
	}
	if at := r.terminal.Cursor(); r.terminal.CursorVisible() && at.X < r.columns && at.Y < r.rows {
		lines[at.Y][at.X] = vt10x.Glyph{Char: cursor, FG: vt10x.DefaultFG, BG: vt10x.DefaultBG}
	}
	return lines
}

// film returns the recording, with a prompt at its end.
func (r *recorder) film() film {
	r.write("\x1b[32m$\x1b[0m ")
	r.take()
	return film{columns: r.columns, rows: r.rows, frames: r.frames, length: r.now + pauseAtEnd}
}

func equal(a, b screen) bool {
	return slices.EqualFunc(a, b, slices.Equal[[]vt10x.Glyph])
}
