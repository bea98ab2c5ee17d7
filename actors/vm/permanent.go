package vm

import (
	"errors"
	"regexp"
)

// alikeAtMost is how often in a row an engine may end early with the same words
// before the wait for its start ends with them as the reason.
const alikeAtMost = 3

// permanent is the error of a start that fails in the same way until something is
// changed.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent returns err as the error of a Start that fails in the same way until the
// user changes something, such as an argument that the engine does not know.
func Permanent(err error) error { return permanent{err} }

// IsPermanent reports whether err is one of Permanent.
func IsPermanent(err error) bool { return errors.As(err, new(permanent)) }

// EndedEarlyError is the error of a Start whose engine ended before it answered.
type EndedEarlyError struct {
	Err error
	// Words of the engine that say why.
	Words string
}

func (e *EndedEarlyError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *EndedEarlyError) Unwrap() error { return e.Err }

// compare counts the starts in a row that ended early with the same words. Numbers
// do not count: times, pids and addresses differ each time.
func (f *failure) compare(err error) {
	early, ok := errors.AsType[*EndedEarlyError](err)
	if !ok {
		f.alike, f.words = 0, ""
		return
	}
	words := regexp.MustCompile(`[0-9]+`).ReplaceAllString(early.Words, "0")
	if f.alike == 0 || words != f.words {
		f.alike = 0
	}
	f.alike, f.words = f.alike+1, words
}
