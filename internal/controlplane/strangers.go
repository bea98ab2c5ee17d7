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

// bodyTime is how long the body of a request may take to arrive. Three megabytes
// are the most that the API server takes.
const bodyTime = 30 * time.Second

// withBodyDeadline ends requests whose body does not arrive within limit, also
// those without a token: net/http reads the rest of a body after the handler has
// answered.
func withBodyDeadline(handler http.Handler, limit time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body == nil || r.Body == http.NoBody {
			handler.ServeHTTP(w, r)
			return
		}
		body := &timelyBody{ReadCloser: r.Body, controller: http.NewResponseController(w), limit: limit}
		if err := body.controller.SetReadDeadline(time.Now().Add(limit)); err == nil {
			limited := *r
			limited.Body = body
			r = &limited
		}
		handler.ServeHTTP(w, r)
	})
}

// timelyBody is a request's body with a deadline, which ends with the body: a
// handler may work for longer on what it has read.
type timelyBody struct {
	io.ReadCloser

	controller *http.ResponseController
	limit      time.Duration
}

// Read implements [io.Reader].
func (b *timelyBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		b.lift()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, failure(http.StatusRequestTimeout, metav1.StatusReasonTimeout,
			fmt.Sprintf("the request's body did not arrive within %s: send it again", b.limit))
	}
	return n, err
}

func (b *timelyBody) lift() { _ = b.controller.SetReadDeadline(time.Time{}) } // the connection may be closed

// withEndlessBodies lifts the deadline of the body for requests that may stream,
// once they are authenticated.
func withEndlessBodies(handler http.Handler, longRunning request.LongRunningRequestCheck) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, ok := r.Body.(*timelyBody); ok {
			if info, found := request.RequestInfoFrom(r.Context()); found && longRunning(r, info) {
				body.lift()
			}
		}
		handler.ServeHTTP(w, r)
	})
}

// withKnownConnection marks the connection of an authenticated request as known.
func withKnownConnection(handler http.Handler, codecs runtime.NegotiatedSerializer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if recognised(r.Context()) {
			handler.ServeHTTP(w, r)
			return
		}
		closeAfter(w, r)
		refuse(w, r, codecs, failure(http.StatusTooManyRequests, metav1.StatusReasonTooManyRequests,
			"the API server has as many connections as it takes: end watches and clients that are not needed, then send the request again"))
	})
}

// withoutImpersonation rejects a request as another user. It would be carried out
// as the one user there is, which is not what its sender relies on.
func withoutImpersonation(handler http.Handler, codecs runtime.NegotiatedSerializer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name := range r.Header {
			if strings.HasPrefix(name, "Impersonate-") {
				refuse(w, r, codecs, failure(http.StatusForbidden, metav1.StatusReasonForbidden,
					fmt.Sprintf("the header %s is refused: rdd has one user and no permissions to impersonate another: leave it out (kubectl: --as, --as-group, --as-uid)", name)))
				return
			}
		}
		handler.ServeHTTP(w, r)
	})
}

// closeAfter has the connection closed after the answer. Otherwise net/http would
// read the rest of the request's body before it answers.
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

func failure(code int32, reason metav1.StatusReason, message string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: code, Reason: reason, Message: message,
	}}
}
