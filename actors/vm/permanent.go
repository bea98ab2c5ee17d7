package vm

import (
	"errors"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/failuretext"
)

// maxRepeats is the number of starts in a row that end early with the same output,
// after which the failure counts as permanent.
const maxRepeats = 3

// permanent marks an error as permanent.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent marks the error of a Start, an Available or a Repair that fails until the
// user changes something, such as an argument that the engine does not know.
func Permanent(err error) error { return permanent{err} }

// IsPermanent reports whether err is marked as permanent.
func IsPermanent(err error) bool { return errors.As(err, new(permanent)) }

// EndedEarlyError is the error of a Start whose engine ended before it answered.
type EndedEarlyError struct {
	Err error
	// Output is the last output of the engine, with the cause.
	Output string
}

func (e *EndedEarlyError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *EndedEarlyError) Unwrap() error { return e.Err }

// compare counts the starts in a row that ended early with the same output. It
// ignores numbers, because times, pids and addresses differ each time.
func (f *failure) compare(err error) {
	early, ok := errors.AsType[*EndedEarlyError](err)
	if !ok {
		f.repeats, f.output = 0, ""
		return
	}
	output := failuretext.WithoutNumbers(early.Output)
	if f.repeats == 0 || output != f.output {
		f.repeats = 0
	}
	f.repeats, f.output = f.repeats+1, output
}
