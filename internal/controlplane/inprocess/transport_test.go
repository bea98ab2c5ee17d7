package inprocess_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/inprocess"
)

const deadline = 10 * time.Second

func get(t *testing.T, ctx context.Context, client *http.Client, path string) (*http.Response, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://in-process"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return client.Do(request)
}

func TestBuffered(t *testing.T) {
	transport := inprocess.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Path", r.URL.Path)
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, "%s %s %s", r.Method, r.RequestURI, body)
	}), t.Context())
	client := &http.Client{Transport: transport}
	response, err := client.Post("http://in-process/a?b=c", "text/plain", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || string(body) != "POST /a?b=c hello" || response.StatusCode != http.StatusTeapot || response.Header.Get("X-Path") != "/a" {
		t.Errorf("%d %v %q: %v", response.StatusCode, response.Header, body, err)
	}
}

// A watch's first line arrives while the handler is running, and cancelling the request
// ends the handler.
func TestStream(t *testing.T) {
	ended := make(chan struct{})
	transport := inprocess.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		for r.Context().Err() == nil {
			fmt.Fprintln(w, "line") // blocks until it is read or the client is gone
		}
	}), t.Context())
	ctx, cancel := context.WithCancel(t.Context())
	response, err := get(t, ctx, &http.Client{Transport: transport}, "/?watch=true")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if line, err := bufio.NewReader(response.Body).ReadString('\n'); err != nil || line != "line\n" {
		t.Errorf("%q: %v", line, err)
	}
	cancel()
	within(t, ended)
	waitCtx, stop := context.WithTimeout(t.Context(), deadline)
	defer stop()
	if err := transport.Wait(waitCtx); err != nil {
		t.Error(err)
	}
}

// Closing the body ends the handler.
func TestClosedBodyEndsHandler(t *testing.T) {
	ended := make(chan struct{})
	transport := inprocess.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		w.WriteHeader(http.StatusOK)
		<-r.Context().Done()
	}), t.Context())
	response, err := get(t, t.Context(), &http.Client{Transport: transport}, "/?watch=1")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	within(t, ended)
}

// A stop ends running requests, and later requests fail.
func TestTransportStopEndsWatch(t *testing.T) {
	stopped, stop := context.WithCancel(t.Context())
	transport := inprocess.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		<-r.Context().Done()
	}), stopped)
	client := &http.Client{Transport: transport}
	response, err := get(t, t.Context(), client, "/?watch=1")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	stop()
	if _, err := io.ReadAll(response.Body); err != nil {
		t.Errorf("the body of a stopped watch: %v", err)
	}
	if _, err := get(t, t.Context(), client, "/"); !errors.Is(err, inprocess.ErrStopped) {
		t.Errorf("a request after the stop: %v", err)
	}
}

// A panic of the handler becomes an error of the request.
func TestPanic(t *testing.T) {
	transport := inprocess.New(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("ouch") }), t.Context())
	if _, err := get(t, t.Context(), &http.Client{Transport: transport}, "/x"); err == nil || !strings.Contains(err.Error(), "ouch") {
		t.Errorf("a panic became %v", err)
	}
}

// Cancelling a request does not wait for a handler that does not respond.
func TestCancelBeforeResponse(t *testing.T) {
	release := make(chan struct{})
	transport := inprocess.New(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }), t.Context())
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(time.Millisecond, cancel)
	if _, err := get(t, ctx, &http.Client{Transport: transport}, "/?watch=1"); !errors.Is(err, context.Canceled) {
		t.Errorf("the cancelled request returned %v", err)
	}
	close(release)
}

func within(t *testing.T, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(deadline):
		t.Fatal("the handler did not end")
	}
}
