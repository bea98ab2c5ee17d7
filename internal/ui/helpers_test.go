package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"testing"
	"time"
)

const deadline = 10 * time.Second

// testConfig returns the configuration of a server with an API that answers with the name of
// its method and path.
func testConfig(t *testing.T) Config {
	t.Helper()
	return Config{
		Dir: t.TempDir(), Command: "rdd ui", Logger: slog.New(slog.DiscardHandler),
		Page: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "file %s", r.URL.Path) }),
		API: func() http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprintf(w, "%s %s", r.Method, r.URL.Path)
			})
		},
		Facts:      func(context.Context) (any, error) { return map[string]string{"version": "v1"}, nil },
		Preload:    func(context.Context) string { return "/apis/first?limit=1" },
		Tree:       func() any { return map[string]string{"tree": "t"} },
		FollowTree: func(context.Context, func(any) error) error { return nil },
		Doctor:     func(context.Context) ([]byte, error) { return []byte(`{"healthy":true}`), nil },
		Bundle: func(_ context.Context, out io.Writer) error {
			_, err := io.WriteString(out, "bundle")
			return err
		},
		BundleName: func() string { return "b.tar.gz" },
	}
}

func startTest(t *testing.T, cfg Config) *Server {
	t.Helper()
	s, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopTest(t, s) })
	return s
}

func stopTest(t *testing.T, s *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// browser returns a client that keeps cookies and does not follow redirects.
func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Jar: jar, Transport: transport, Timeout: deadline,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// loggedIn returns a browser with a session.
func loggedIn(t *testing.T, s *Server) *http.Client {
	t.Helper()
	client := browser(t)
	if got := request(t, client, http.MethodGet, s.LoginURL(), nil); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("the login was answered with %s", got.Status)
	}
	return client
}

// response is a response with its body.
type response struct {
	*http.Response

	body string
}

// request sends a request. The header Host replaces the host.
func request(t *testing.T, client *http.Client, method, address string, header map[string]string) response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	r.Host = header["Host"]
	got, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	return response{got, string(body)}
}

func within(t *testing.T, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(deadline):
		t.Fatal("it takes too long")
	}
}
