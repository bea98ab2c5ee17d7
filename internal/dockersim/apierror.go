package dockersim

import (
	"errors"
	"net/http"

	"github.com/containerd/errdefs"
)

// apiError is an error with an HTTP status of its own.
type apiError struct {
	status  int
	message string
}

func (e *apiError) Error() string { return e.message }

func badRequest(message string) error { return &apiError{http.StatusBadRequest, message} }

// statusOf returns the HTTP status of an error, as dockerd answers its class.
func statusOf(err error) int {
	var api *apiError
	switch {
	case errors.As(err, &api):
		return api.status
	case errdefs.IsNotFound(err):
		return http.StatusNotFound
	case errdefs.IsConflict(err):
		return http.StatusConflict
	case errdefs.IsPermissionDenied(err):
		return http.StatusForbidden
	case errdefs.IsInvalidArgument(err):
		return http.StatusBadRequest
	default:
		return http.StatusInternalServerError
	}
}

func writeError(w http.ResponseWriter, err error) {
	writeJSON(w, statusOf(err), map[string]string{"message": err.Error()})
}
