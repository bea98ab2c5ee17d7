package memory

import (
	"fmt"

	"github.com/containerd/errdefs"
)

// refusal is an error in dockerd's words, with its class.
type refusal struct {
	class   error
	message string
}

func (r *refusal) Error() string { return r.message }
func (r *refusal) Unwrap() error { return r.class }

func notFound(format string, args ...any) error {
	return &refusal{errdefs.ErrNotFound, fmt.Sprintf(format, args...)}
}

func conflict(format string, args ...any) error {
	return &refusal{errdefs.ErrConflict, fmt.Sprintf(format, args...)}
}

func forbidden(format string, args ...any) error {
	return &refusal{errdefs.ErrPermissionDenied, fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) error {
	return &refusal{errdefs.ErrInvalidArgument, fmt.Sprintf(format, args...)}
}

func unauthorized(format string, args ...any) error {
	return &refusal{errdefs.ErrUnauthenticated, fmt.Sprintf(format, args...)}
}

func systemError(format string, args ...any) error {
	return &refusal{errdefs.ErrInternal, fmt.Sprintf(format, args...)}
}

// must is for calls of a test that dockerd would refuse: the test is wrong, and
// fails at once.
func must(err error) {
	if err != nil {
		panic("memory engine: " + err.Error()) //nolint:forbidigo // a mistake in a test, as with regexp.MustCompile
	}
}
