//go:build linux

package dockerd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
)

// idleConnections is the number of connections that are kept for the next requests.
const idleConnections = 8

// API is a client for the part of the Docker Engine API that tests need.
type API struct{ client *http.Client }

// NewAPI returns a client for a socket, and does not connect.
func NewAPI(socket string) *API {
	return &API{client: &http.Client{Transport: Transport(socket)}}
}

// Transport returns a transport that dials a socket, and ignores the address.
func Transport(socket string) *http.Transport {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}
	return &http.Transport{DialContext: dial, MaxIdleConnsPerHost: idleConnections, DisableCompression: true}
}

// AnswerError is an error that the engine answered. After any other error it is
// unknown whether the engine has carried out the request.
type AnswerError struct {
	Status int
	Text   string
}

func (e *AnswerError) Error() string {
	return fmt.Sprintf("the engine answers %d: %s", e.Status, e.Text)
}

// Call sends one request, and decodes the answer into out unless that is nil.
// The error of an answer of 400 and above is an AnswerError.
func (a *API) Call(ctx context.Context, method, path string, body io.Reader, out any) error {
	request, err := http.NewRequestWithContext(ctx, method, "http://engine"+path, body) //nolint:gosec // the names are those of a test
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := a.client.Do(request) //nolint:gosec // it always dials one socket
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %w", method, path, &AnswerError{response.StatusCode, string(bytes.TrimSpace(answer))})
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}
