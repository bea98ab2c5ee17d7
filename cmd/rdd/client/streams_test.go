package client

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"k8s.io/client-go/rest"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// A log that was cut off is an error, although the response has ended like any other.
func TestLogThatEndsEarlyIsError(t *testing.T) {
	for _, reason := range []string{"", "the engine was stopped"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "a line\n")
			_ = http.NewResponseController(w).Flush() // as a log that is followed
			if reason != "" {
				w.Header().Set(http.TrailerPrefix+"X-Rdd-Reason", reason)
			}
		}))
		streams, err := NewStreams(&rest.Config{Host: server.URL})
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		err = streams.Log(t.Context(), &containersv1.Container{}, url.Values{}, &text)
		server.Close()
		broken := &BrokenError{}
		if isBroken := errors.As(err, &broken); isBroken != (reason != "") || broken.Reason != reason || text.String() != "a line\n" {
			t.Errorf("reason %q: %v, text %q", reason, err, text.String())
		}
	}
}
