package engine

import (
	"errors"

	"github.com/containerd/errdefs"
)

// ErrUnreachable is in the chain of every error of an engine that could not be reached:
// it does not listen, closed the connection, or missed the deadline. The verb may have
// been applied.
var ErrUnreachable = errors.New("the engine is unreachable")

// IsNotFound reports whether the engine does not have the object.
func IsNotFound(err error) bool { return errdefs.IsNotFound(err) }

// IsConflict reports whether the engine refused because of the state of the object
// or of another one, such as an image that is in use.
func IsConflict(err error) bool { return errdefs.IsConflict(err) }

// IsUnauthorized reports whether a registry refuses the credentials, or needs some.
func IsUnauthorized(err error) bool { return errdefs.IsUnauthorized(err) }

// IsUnreachable reports whether the engine could not be reached.
func IsUnreachable(err error) bool { return errors.Is(err, ErrUnreachable) }
