//go:build linux

package virtiofs

import (
	"io"
	"log"
	"sync"
)

// maxLog is the size in bytes of a log that a guest can fill.
const maxLog = 1 << 20

// newLog returns a log that ends when it has maxLog bytes. The standard logger, which
// go-fuse uses too, writes to the same.
func newLog(to io.Writer) *log.Logger {
	limited := &limitedWriter{to: to, left: maxLog}
	log.SetOutput(limited)
	return log.New(limited, "", log.LstdFlags)
}

// limitedWriter writes a number of bytes and a last line, and ignores what follows.
type limitedWriter struct {
	mu   sync.Mutex
	to   io.Writer
	left int
}

// Write implements io.Writer. It never fails: no request depends on its log.
func (w *limitedWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.left < 0:
	case w.left < len(line):
		_, _ = io.WriteString(w.to, "the log is full, and later messages are not in it\n")
		w.left = -1
	default:
		_, _ = w.to.Write(line)
		w.left -= len(line)
	}
	return len(line), nil
}
