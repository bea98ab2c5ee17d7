package dockersim

import (
	"errors"
	"fmt"
	"net/http"
)

// apiError is an error with its HTTP status.
type apiError struct {
	status  int
	message string
}

func (e *apiError) Error() string { return e.message }

func notFound(format string, args ...any) error {
	return &apiError{http.StatusNotFound, fmt.Sprintf(format, args...)}
}

func conflict(format string, args ...any) error {
	return &apiError{http.StatusConflict, fmt.Sprintf(format, args...)}
}

func badRequest(format string, args ...any) error {
	return &apiError{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

func systemError(format string, args ...any) error {
	return &apiError{http.StatusInternalServerError, fmt.Sprintf(format, args...)}
}

// errNotModified is the answer to a command whose outcome is there already.
var errNotModified error = &apiError{http.StatusNotModified, "not modified"}

// done is what the Go API says of an error: not modified is none.
func done(err error) error {
	if errors.Is(err, errNotModified) {
		return nil
	}
	return err
}

func writeError(w http.ResponseWriter, err error) {
	var api *apiError
	if !errors.As(err, &api) {
		api = &apiError{http.StatusInternalServerError, err.Error()}
	}
	if api.status == http.StatusNotModified {
		w.WriteHeader(api.status)
		return
	}
	writeJSON(w, api.status, map[string]string{"message": api.message})
}

// must is for calls of a test that a real engine would refuse: a mistake in
// the test, which it should see at once.
func must(err error) {
	if err != nil {
		panic("dockersim: " + err.Error()) //nolint:forbidigo // a mistake in a test, as with regexp.MustCompile
	}
}
