package controlplane

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/endpoints/handlers/responsewriters"
	"k8s.io/apiserver/pkg/endpoints/request"
)

// bodyTimeout is how long the body of a request may take to arrive. The API server
// accepts bodies of up to three megabytes.
const bodyTimeout = 30 * time.Second

// withBodyDeadline ends requests whose body does not arrive within limit. This includes
// requests without a token, because net/http reads the rest of a body after the
// response.
func withBodyDeadline(handler http.Handler, limit time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body == nil || r.Body == http.NoBody {
			handler.ServeHTTP(w, r)
			return
		}
		body := &deadlineBody{ReadCloser: r.Body, controller: http.NewResponseController(w), limit: limit}
		if err := body.controller.SetReadDeadline(time.Now().Add(limit)); err == nil {
			limited := *r
			limited.Body = body
			r = &limited
		}
		handler.ServeHTTP(w, r)
	})
}

// deadlineBody is a request's body with a read deadline. The deadline is cleared at the
// end of the body, since a handler may then need more time.
type deadlineBody struct {
	io.ReadCloser

	controller *http.ResponseController
	limit      time.Duration
}

// Read implements [io.Reader].
func (b *deadlineBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		b.clearDeadline()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, statusError(http.StatusRequestTimeout, metav1.StatusReasonTimeout,
			fmt.Sprintf("the request's body did not arrive within %s: repeat the request", b.limit))
	}
	return n, err
}

func (b *deadlineBody) clearDeadline() { _ = b.controller.SetReadDeadline(time.Time{}) } // the connection may be closed

// withUnlimitedStreams clears the body's deadline for authenticated requests that may
// stream.
func withUnlimitedStreams(handler http.Handler, longRunning request.LongRunningRequestCheck) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, ok := r.Body.(*deadlineBody); ok {
			if info, found := request.RequestInfoFrom(r.Context()); found && longRunning(r, info) {
				body.clearDeadline()
			}
		}
		handler.ServeHTTP(w, r)
	})
}

// withAuthenticatedConnection marks the connection of an authenticated request as
// authenticated, or refuses the request if there are too many of them.
func withAuthenticatedConnection(handler http.Handler, codecs runtime.NegotiatedSerializer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if markAuthenticated(r.Context()) {
			handler.ServeHTTP(w, r)
			return
		}
		closeAfter(w, r)
		refuse(w, r, codecs, statusError(http.StatusTooManyRequests, metav1.StatusReasonTooManyRequests,
			"the API server has too many connections: end clients and watches that are not needed, and repeat the request"))
	})
}

// rejectImpersonation refuses requests with impersonation headers. rdd has one user,
// and ignoring the header would run the request with other permissions than requested.
func rejectImpersonation(handler http.Handler, codecs runtime.NegotiatedSerializer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name := range r.Header {
			if strings.HasPrefix(name, "Impersonate-") {
				refuse(w, r, codecs, statusError(http.StatusForbidden, metav1.StatusReasonForbidden,
					fmt.Sprintf("header %s is refused, because rdd has only one user: omit the header (kubectl: --as, --as-group, --as-uid)", name)))
				return
			}
		}
		handler.ServeHTTP(w, r)
	})
}

// closeAfter makes net/http close the connection after the response. Otherwise net/http
// would read the rest of the request's body first.
func closeAfter(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor == 1 {
		w.Header().Set("Connection", "close")
	}
}

func refuse(w http.ResponseWriter, r *http.Request, codecs runtime.NegotiatedSerializer, err error) {
	var version schema.GroupVersion
	if info, ok := request.RequestInfoFrom(r.Context()); ok {
		version = schema.GroupVersion{Group: info.APIGroup, Version: info.APIVersion}
	}
	responsewriters.ErrorNegotiated(err, codecs, version, w, r)
}

func statusError(code int32, reason metav1.StatusReason, message string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: code, Reason: reason, Message: message,
	}}
}
