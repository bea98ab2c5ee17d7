package ui

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestProxyHidesCredentials(t *testing.T) {
	cfg := testConfig(t)
	cfg.API = func() http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { respond(w, http.StatusOK, r.Header) })
	}
	s := startTest(t, cfg)
	got := request(t, loggedIn(t, s), http.MethodGet, s.URL()+"apis/x?watch=0", map[string]string{
		"Authorization": "Bearer x", "Impersonate-User": "x", "User-Agent": "Mozilla/5.0", "Accept": "application/json;as=Table",
	})
	var header http.Header
	if err := json.Unmarshal([]byte(got.body), &header); err != nil {
		t.Fatalf("%s: %v", got.body, err)
	}
	for _, name := range []string{"Cookie", "Authorization", "Impersonate-User"} {
		if value := header.Get(name); value != "" {
			t.Errorf("the API gets %s: %s", name, value)
		}
	}
	if header.Get("User-Agent") != agent || header.Get("Accept") != "application/json;as=Table" {
		t.Errorf("the API gets %v", header)
	}
	if got.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the answer may be stored: %v", got.Header)
	}
}

func TestProxyRefusesWatches(t *testing.T) {
	s := startTest(t, testConfig(t))
	client := loggedIn(t, s)
	for query, code := range map[string]int{
		"watch=1": 400, "watch=true": 400, "watch": 400, "watch=yes": 400, "watch=0": 200, "watch=false": 200, "limit=1": 200,
	} {
		if got := request(t, client, http.MethodGet, s.URL()+"apis/x?"+query, nil); got.StatusCode != code {
			t.Errorf("%s: %s", query, got.Status)
		}
	}
}

// Failures have the form of the API, also while there is no API.
func TestFailuresAreStatus(t *testing.T) {
	cfg := testConfig(t)
	cfg.API = func() http.Handler { return nil }
	cfg.Doctor = func(context.Context) ([]byte, error) { return nil, errors.New("ill") }
	cfg.Bundle = func(context.Context, io.Writer) error { return errors.New("full") }
	cfg.Facts = func(context.Context) (any, error) { return nil, errors.New("no App") }
	s := startTest(t, cfg)
	client := loggedIn(t, s)
	for path, want := range map[string]metav1.Status{
		"apis/x":         {Code: 503, Reason: metav1.StatusReasonServiceUnavailable, Message: "starting"},
		"session":        {Code: 503, Reason: metav1.StatusReasonServiceUnavailable, Message: "no App: retry in a few seconds"},
		"doctor":         {Code: 500, Reason: metav1.StatusReasonInternalError, Message: "ill"},
		"support-bundle": {Code: 500, Reason: metav1.StatusReasonInternalError, Message: "full"},
	} {
		got := request(t, client, http.MethodGet, s.URL()+path, nil)
		var status metav1.Status
		if err := json.Unmarshal([]byte(got.body), &status); err != nil {
			t.Errorf("%s: %s: %v", path, got.body, err)
		}
		if status.Code != want.Code || int(want.Code) != got.StatusCode || status.Reason != want.Reason || !strings.Contains(status.Message, want.Message) {
			t.Errorf("%s: %s %+v", path, got.Status, status)
		}
	}
}

func TestReports(t *testing.T) {
	s := startTest(t, testConfig(t))
	client := loggedIn(t, s)
	got := request(t, client, http.MethodGet, s.URL()+"doctor", nil)
	if got.body != `{"healthy":true}` || got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s: %s", got.Status, got.body)
	}
	got = request(t, client, http.MethodGet, s.URL()+"support-bundle", nil)
	if got.body != "bundle" || got.Header.Get("Content-Disposition") != "attachment; filename=b.tar.gz" {
		t.Errorf("%s %v: %s", got.Status, got.Header, got.body)
	}
	if got := request(t, client, http.MethodGet, s.URL()+"tree", nil); !strings.Contains(got.body, `"tree"`) {
		t.Errorf("%s: %s", got.Status, got.body)
	}
}

// limited is a response that records its deadline.
type limited struct {
	*httptest.ResponseRecorder

	deadline time.Time
}

func (l *limited) SetWriteDeadline(deadline time.Time) error {
	l.deadline = deadline
	return nil
}

// A client that does not read a report does not keep the place for reports.
func TestReportHasWriteDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig(t)
		w := &limited{ResponseRecorder: httptest.NewRecorder()}
		check := func() {
			t.Helper()
			if left := time.Until(w.deadline); left != writeLimit {
				t.Errorf("the client has %s to read", left)
			}
			time.Sleep(writeLimit / 2)
		}
		cfg.Bundle = func(_ context.Context, out io.Writer) error {
			for range 3 {
				if _, err := io.WriteString(out, "part"); err != nil {
					return err
				}
				check()
			}
			return nil
		}
		s := newServer(t.Context(), cfg, 1)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		s.serveBundle(w, r, nil)
		s.serveDoctor(w, r, nil)
		check()
	})
}

// A page that asks again and again does not start a doctor each time.
func TestOneReportAtATime(t *testing.T) {
	cfg := testConfig(t)
	began, release := make(chan struct{}), make(chan struct{})
	cfg.Doctor = func(context.Context) ([]byte, error) {
		began <- struct{}{}
		<-release
		return []byte("{}"), nil
	}
	s := startTest(t, cfg)
	client := loggedIn(t, s)
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		request(t, client, http.MethodGet, s.URL()+"doctor", nil)
	}()
	within(t, began)
	for _, path := range []string{"doctor", "support-bundle"} {
		if got := request(t, client, http.MethodGet, s.URL()+path, nil); got.StatusCode != http.StatusTooManyRequests {
			t.Errorf("%s: %s", path, got.Status)
		}
	}
	close(release)
	within(t, answered)
}

// A bundle that fails after its beginning is a failed download and not a short file.
func TestIncompleteBundleIsNoFile(t *testing.T) {
	cfg := testConfig(t)
	cfg.Bundle = func(_ context.Context, out io.Writer) error {
		_, _ = io.WriteString(out, strings.Repeat("x", 1<<16))
		return errors.New("the disk is full")
	}
	s := startTest(t, cfg)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+"support-bundle", nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := loggedIn(t, s).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if n, err := io.Copy(io.Discard, got.Body); err == nil {
		t.Errorf("the download of %d bytes succeeded", n)
	}
}
