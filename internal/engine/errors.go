package engine

import (
	"errors"

	"github.com/containerd/errdefs"
)

// ErrUnreachable is in the chain of every error of an engine that could not be reached:
// it does not listen, closed the connection, or missed the deadline. The verb may have
// been applied.
var ErrUnreachable = errors.New("the engine is unreachable")

// ErrShuttingDown is in the chain of the error of an engine that answers that it is ending.
// It could be reached, and does not carry out the verb; it may do so after its restart.
var ErrShuttingDown = errors.New("the engine is shutting down")

// IsNotFound reports whether the engine does not have the object.
func IsNotFound(err error) bool { return errdefs.IsNotFound(err) }

// IsConflict reports whether the engine refused because of the state of the object
// or of another one, such as an image that is in use.
func IsConflict(err error) bool { return errdefs.IsConflict(err) }

// IsUnauthorized reports whether a registry refuses the credentials, or needs some.
func IsUnauthorized(err error) bool { return errdefs.IsUnauthorized(err) }

// ConnectionLost begins the reason of a stream that ends with the connection to the engine.
const ConnectionLost = "the connection to the container engine is lost: "

// IsUnreachable reports whether the engine could not be reached.
func IsUnreachable(err error) bool { return errors.Is(err, ErrUnreachable) }

// IsAway reports whether the engine could not be reached or is shutting down, so that the
// same verb can succeed later without another change.
func IsAway(err error) bool { return IsUnreachable(err) || errors.Is(err, ErrShuttingDown) }
