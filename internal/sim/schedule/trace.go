package schedule

import (
	"fmt"
	"hash/fnv"
	"slices"
	"sync"
	"time"
)

// traceEnd is how many lines a trace keeps.
const traceEnd = 400

// Trace keeps the last lines of what happened, and a hash of all of it. It is safe
// for concurrent use.
type Trace struct {
	begun     time.Time
	printLine func(string)

	mu    sync.Mutex
	hash  uint64
	lines []string
}

// NewTrace returns an empty trace that begins now. printLine gets each line; it may be nil.
func NewTrace(printLine func(string)) *Trace {
	return &Trace{begun: time.Now(), printLine: printLine}
}

// Note records one event of an actor, a user or anything else.
func (t *Trace) Note(who, what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	line := fmt.Sprintf("%14.9f %-40.60s %s", time.Since(t.begun).Seconds(), who, what)
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s", t.hash, line)
	t.hash = h.Sum64()
	if t.printLine != nil {
		t.printLine(line)
	}
	if t.lines = append(t.lines, line); len(t.lines) > traceEnd {
		t.lines = slices.Delete(t.lines, 0, len(t.lines)-traceEnd)
	}
}

// End returns the last lines, 400 at most.
func (t *Trace) End() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.lines)
}

// Hash returns a number that is the same for two traces with the same events at the
// same times.
func (t *Trace) Hash() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.hash
}
