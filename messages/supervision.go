package messages

import "time"

// ChildFailed reports to a parent that its child failed. The supervision strategy sends
// it when it decides what to do. The root forwards it to the app actor.
type ChildFailed struct {
	// Name of the child below its parent, such as "session" or "container/4f5e…".
	Name string
	Err  error
	// RetryIn is the delay before the restart.
	RetryIn time.Duration
	// GaveUp is set when the child is stopped, because its failures passed the
	// intensity limit or because the failure is permanent.
	GaveUp bool
}

func (ChildFailed) toRoot()   {}
func (ChildFailed) toApp()    {}
func (ChildFailed) toEngine() {}
