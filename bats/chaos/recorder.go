package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest/dockerd"
)

// change is a request of the daemon that changes the engine.
type change struct {
	method, path string
	began, ended time.Time
	// status is that of the answer; 0 without one.
	status int
	// created is the ID of the container that the engine has created; empty for none.
	created string
}

// done reports whether the engine has made the change, now or before.
func (c change) done() bool {
	return c.status >= http.StatusOK && c.status < http.StatusMultipleChoices || c.status == http.StatusNotModified
}

// recorder is a proxy between the link and the engine, for the daemon alone. It records
// the requests that change the engine, and their answers.
type recorder struct {
	server *http.Server

	mu      sync.Mutex
	changes []*change
}

func newRecorder(socket, target string) (*recorder, error) {
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("listen before the engine: %w", err)
	}
	r := &recorder{}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(request *httputil.ProxyRequest) {
			request.SetURL(&url.URL{Scheme: "http", Host: "engine"})
			request.Out.Host = request.In.Host
		},
		Transport:     dockerd.Transport(target),
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0),
		// An engine that is down sends no answer, not even that of a gateway.
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
				conn.Close()
			}
		},
		ModifyResponse: func(response *http.Response) error {
			if c, ok := response.Request.Context().Value(recorded{}).(*change); ok {
				created := createdContainer(c.path, response)
				r.mu.Lock()
				c.status, c.ended, c.created = response.StatusCode, time.Now(), created
				r.mu.Unlock()
			}
			return nil
		},
	}
	r.server = &http.Server{
		Handler:           r.record(proxy),
		ErrorLog:          log.New(io.Discard, "", 0),
		ReadHeaderTimeout: time.Hour, // an impairment may delay a request for any time
	}
	go func() { _ = r.server.Serve(listener) }() // it returns when the server is closed
	return r, nil
}

// createdContainer returns the ID in the answer to the creation of a container, or an
// empty text.
func createdContainer(path string, response *http.Response) string {
	if response.StatusCode != http.StatusCreated || !strings.HasSuffix(path, "/containers/create") {
		return ""
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(body))
	var answer struct {
		ID string `json:"Id"`
	}
	if err != nil || json.Unmarshal(body, &answer) != nil {
		return ""
	}
	return answer.ID
}

// recorded is the key of a request's change in its context.
type recorded struct{}

func (r *recorder) record(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if request.Method == http.MethodGet || request.Method == http.MethodHead {
			next.ServeHTTP(w, request)
			return
		}
		c := &change{method: request.Method, path: request.URL.Path, began: time.Now()}
		r.mu.Lock()
		r.changes = append(r.changes, c)
		r.mu.Unlock()
		defer func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			if c.ended.IsZero() {
				c.ended = time.Now() // without an answer
			}
		}()
		next.ServeHTTP(w, request.WithContext(context.WithValue(request.Context(), recorded{}, c)))
	})
}

// pending reports whether the engine has not yet answered a change.
func (r *recorder) pending() bool {
	return slices.ContainsFunc(r.all(), func(c change) bool { return c.ended.IsZero() })
}

func (r *recorder) close() error { return r.server.Close() }

// all returns every change so far.
func (r *recorder) all() []change {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []change
	for _, c := range r.changes {
		all = append(all, *c)
	}
	return all
}
