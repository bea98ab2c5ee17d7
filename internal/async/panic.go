package async

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// PanicError is the error of work that panicked. Its text is one line, because users may
// read it in a condition.
type PanicError struct {
	Value any
	// Stack of the goroutine, as debug.Stack returns it.
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic in a task: %v", e.Value) }

// Safely runs f and returns a panic in it as a PanicError. A goroutine that work starts
// for itself needs it: a panic there would end the process.
func Safely(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{Value: p, Stack: debug.Stack()}
		}
	}()
	return f()
}

// WithStack returns an error as a log shows it: the stack follows the text of a PanicError.
func WithStack(err error) any {
	if p, ok := errors.AsType[*PanicError](err); ok {
		return fmt.Sprintf("%v\n%s", err, p.Stack)
	}
	return err
}
