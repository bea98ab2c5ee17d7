package memory

import (
	"bytes"
	"context"
	"io"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// The streams of a process.
const (
	Stdout = 1
	Stderr = 2
)

// logEntry is what a process wrote at once, at most one line.
type logEntry struct {
	at     time.Time
	stream int
	text   []byte
	// isFirst is set for the beginning of a line.
	isFirst bool
}

// containerLog is the log of a container. The engine's mutex guards it.
type containerLog struct {
	entries []logEntry
	// isOpen is set, by stream, while its last line is incomplete.
	isOpen [Stderr + 1]bool
	// changed is closed at the next change of the log or of the container's state.
	changed chan struct{}
}

func newContainerLog() *containerLog { return &containerLog{changed: make(chan struct{})} }

func (l *containerLog) notify() {
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *containerLog) write(at time.Time, stream int, text []byte) {
	for line := range bytes.Lines(text) {
		l.entries = append(l.entries, logEntry{at: at, stream: stream, text: bytes.Clone(line), isFirst: !l.isOpen[stream]})
		l.isOpen[stream] = line[len(line)-1] != '\n'
	}
	l.notify()
}

// WriteLog appends to a container's log what its process wrote to a stream.
func (e *Engine) WriteLog(ref string, stream int, text string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, err := e.findContainer(ref)
	if err == nil {
		c.log.write(e.now(), stream, []byte(text))
	}
	return err
}

// logReader reads a log. It is an engine.Output.
type logReader struct {
	engine    *Engine
	container *Container
	opts      engine.LogOptions
	ctx       context.Context
	end       context.CancelCauseFunc
	next      int
}

func (e *Engine) openLog(ctx context.Context, end context.CancelCauseFunc, ref string, opts engine.LogOptions) (*logReader, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, err := e.findContainer(ref)
	if err != nil {
		return nil, err
	}
	r := &logReader{engine: e, container: c, opts: opts, ctx: ctx, end: end}
	r.opts.Follow = opts.Follow && c.Running
	if opts.Tail != nil {
		r.next = r.tail(*opts.Tail)
	}
	return r, nil
}

// tail returns the index of the first entry of the last n lines. Like dockerd, it counts
// those of both streams.
func (r *logReader) tail(n int64) int {
	entries := r.container.log.entries
	for at := len(entries); at > 0; at-- {
		if n <= 0 {
			return at
		}
		if entries[at-1].isFirst {
			n--
		}
	}
	return 0
}

func (r *logReader) selects(entry logEntry) bool {
	isWanted := r.opts.Stdout && entry.stream == Stdout || r.opts.Stderr && entry.stream == Stderr
	return isWanted && !entry.at.Before(r.opts.Since)
}

// CopyTo implements engine.Output.
func (r *logReader) CopyTo(stdout, stderr io.Writer) error {
	for {
		entries, changed := r.take()
		if err := r.write(entries, stdout, stderr); err != nil {
			return err
		}
		if changed == nil {
			return nil
		}
		select {
		case <-changed:
		case <-r.ctx.Done():
			return context.Cause(r.ctx)
		}
	}
}

// take returns new entries, and what to wait for; nil after the end.
func (r *logReader) take() (entries []logEntry, changed <-chan struct{}) {
	r.engine.mu.Lock()
	defer r.engine.mu.Unlock()
	log := r.container.log
	for _, entry := range log.entries[r.next:] {
		if r.selects(entry) {
			entries = append(entries, entry)
		}
	}
	r.next = len(log.entries)
	if r.opts.Follow && r.container.Running && !r.container.Restarting {
		changed = log.changed
	}
	return entries, changed
}

// write joins what goes to the same stream in one write.
func (r *logReader) write(entries []logEntry, stdout, stderr io.Writer) error {
	out := map[int]io.Writer{Stdout: stdout, Stderr: stderr}
	var text []byte
	for i, entry := range entries {
		if r.opts.Timestamps && entry.isFirst {
			text = append(text, entry.at.UTC().Format(time.RFC3339Nano)+" "...)
		}
		text = append(text, entry.text...)
		if i+1 < len(entries) && out[entries[i+1].stream] == out[entry.stream] {
			continue
		}
		if to := out[entry.stream]; to != nil {
			if _, err := to.Write(text); err != nil {
				return err
			}
		}
		text = nil
	}
	return nil
}

// Close implements engine.Output.
func (r *logReader) Close() error {
	r.end(context.Canceled)
	return nil
}
