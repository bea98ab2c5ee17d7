package messages

import "time"

// ChildFailed says that a child of the receiving actor failed. The supervision
// strategy sends it to the parent as it decides what to do.
type ChildFailed struct {
	// Name of the child below its parent, such as "session" or "container/4f5e…".
	Name string
	Err  error
	// RetryIn is the delay before the restart.
	RetryIn time.Duration
	// GaveUp is set when the intensity limit was passed: the child is stopped.
	GaveUp bool
}
