package drivertest

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
)

// Logger returns a logger that writes to the log of the test until the test ends.
func Logger(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(testWriter{t}, nil))
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(line []byte) (int, error) {
	if w.t.Context().Err() == nil {
		w.t.Log(strings.TrimSpace(string(line)))
	}
	return len(line), nil
}

// Request sends a request with a JSON body, or nil, to Docker at a unix:// endpoint.
// The test fails if there is no response.
func Request(t *testing.T, endpoint, method, path string, body io.Reader) (status int, answer []byte) {
	t.Helper()
	socket := strings.TrimPrefix(endpoint, "unix://")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://engine"+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, answer
}

// PutVolume creates a volume; it is a Fixture.Put for Docker.
func PutVolume(t *testing.T, endpoint string) {
	t.Helper()
	if status, answer := Request(t, endpoint, http.MethodPost, "/volumes/create", strings.NewReader(`{"Name": "kept"}`)); status/100 != 2 {
		t.Fatalf("create a volume: %d %s", status, answer)
	}
}

// HasVolume reports whether the volume of PutVolume exists.
func HasVolume(t *testing.T, endpoint string) bool {
	t.Helper()
	status, _ := Request(t, endpoint, http.MethodGet, "/volumes/kept", nil)
	return status == http.StatusOK
}
