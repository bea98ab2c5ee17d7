package streams

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/containerd/errdefs"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/remotecommand"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

func newStatus(code int32, reason metav1.StatusReason, message string) *apierrors.StatusError {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: code, Reason: reason, Message: message,
	}}
}

func notAllowed(method, subresource string) error {
	allowed := "GET"
	if subresource == exec || subresource == attach {
		allowed = "GET or POST"
	}
	return newStatus(http.StatusMethodNotAllowed, metav1.StatusReasonMethodNotAllowed,
		fmt.Sprintf("%s does not support %s: use %s", subresource, method, allowed))
}

// invalid is the status of a request with a wrong parameter.
func invalid(format string, args ...any) error {
	return newStatus(http.StatusBadRequest, metav1.StatusReasonBadRequest, fmt.Sprintf(format, args...))
}

// unavailable is the status of a request that needs an engine.
func unavailable(err error) error {
	return newStatus(http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable, err.Error())
}

// statusOf returns an error as a status: those of the engine keep its words.
func statusOf(doing string, err error) *apierrors.StatusError {
	if status, ok := errors.AsType[*apierrors.StatusError](err); ok {
		return status
	}
	message := doing + ": " + err.Error()
	switch {
	case engine.IsUnreachable(err):
		return newStatus(http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable, message)
	case engine.IsNotFound(err):
		return newStatus(http.StatusNotFound, metav1.StatusReasonNotFound, message)
	case engine.IsConflict(err):
		return newStatus(http.StatusConflict, metav1.StatusReasonConflict, message)
	case errdefs.IsInvalidArgument(err):
		return newStatus(http.StatusBadRequest, metav1.StatusReasonBadRequest, message)
	case errdefs.IsNotImplemented(err):
		return newStatus(http.StatusNotImplemented, metav1.StatusReasonMethodNotAllowed, message)
	}
	return newStatus(http.StatusInternalServerError, metav1.StatusReasonInternalError, message)
}

// exited is the status of a process that ended, as client-go decodes it.
func exited(code int) metav1.Status {
	if code == 0 {
		return metav1.Status{Status: metav1.StatusSuccess}
	}
	return metav1.Status{
		Status: metav1.StatusFailure, Reason: remotecommand.NonZeroExitCodeReason,
		Message: fmt.Sprintf("command terminated with exit code %d", code),
		Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{
			Type: remotecommand.ExitCodeCauseType, Message: strconv.Itoa(code),
		}}},
	}
}
