package home

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// firstPause and refusalPause are the first and the longest pause before another request
	// of a class that the hub refuses. A quota is unknown for the first seconds.
	firstPause   = time.Second
	refusalPause = 30 * time.Second
	// refusalsAtOnce is how many requests of a class the hub refuses in a row before the
	// class is paused. A single object can be refused for a reason of its own.
	refusalsAtOnce = 3
	// maxRefusal bounds the answer that is kept, in bytes.
	maxRefusal = 64 << 10
)

// class is a kind of request, such as "POST containers". A missing right or an exhausted
// quota concerns all requests of a class.
type class string

// classOf returns the class of a request below a namespace or of the whole hub.
func classOf(r *http.Request) class {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	for i, part := range parts {
		if part == "namespaces" && i+2 < len(parts) {
			parts = parts[i+2:]
			break
		}
	}
	resource := parts[0]
	if len(parts) > 2 {
		resource += "/" + parts[2] // the subresource
	}
	return class(r.Method + " " + resource)
}

// refusals is a transport that pauses a class of requests that the hub refuses. In the
// pause it repeats the hub's answer, and after it one request is sent again.
type refusals struct {
	next http.RoundTripper
	// changed is called, outside of the lock, with the hub's words when a class is paused,
	// and with an empty text when none is any more.
	changed func(message string)

	mu      sync.Mutex
	classes map[class]*refusal
	last    string
}

// refusal is a class that the hub has refused.
type refusal struct {
	count  int
	until  time.Time
	status int
	header http.Header
	body   []byte
}

// pause returns the pause after the last refusal.
func (r *refusal) pause() time.Duration {
	pause := firstPause
	for range r.count - refusalsAtOnce {
		if pause *= 2; pause >= refusalPause {
			return refusalPause
		}
	}
	return pause
}

// RoundTrip implements http.RoundTripper.
func (f *refusals) RoundTrip(r *http.Request) (*http.Response, error) {
	of := classOf(r)
	if answer := f.paused(of, r); answer != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return answer, nil
	}
	response, err := f.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if !isRefusal(r, response) {
		f.accepted(of)
		return response, nil
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxRefusal))
	_ = response.Body.Close()
	if err != nil {
		return nil, fmt.Errorf("read the answer of the hub: %w", err)
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	f.refused(of, response, body)
	return response, nil
}

// isRefusal reports whether a request was refused, and not the object in it. A create is
// not found if the namespace is missing.
func isRefusal(r *http.Request, response *http.Response) bool {
	return response.StatusCode == http.StatusForbidden ||
		r.Method == http.MethodPost && response.StatusCode == http.StatusNotFound
}

// paused returns the hub's last answer while the class is paused; nil if a request is due.
func (f *refusals) paused(of class, r *http.Request) *http.Response {
	f.mu.Lock()
	defer f.mu.Unlock()
	last := f.classes[of]
	if last == nil || last.count < refusalsAtOnce {
		return nil
	}
	if now := time.Now(); now.After(last.until) {
		last.until = now.Add(last.pause()) // for all but this request
		return nil
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", last.status, http.StatusText(last.status)), StatusCode: last.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r, Header: last.header.Clone(),
		Body: io.NopCloser(bytes.NewReader(last.body)), ContentLength: int64(len(last.body)),
	}
}

func (f *refusals) refused(of class, response *http.Response, body []byte) {
	f.update(func() {
		last := f.classes[of]
		if last == nil {
			last = &refusal{}
			f.classes[of] = last
		}
		last.count++
		last.until = time.Now().Add(last.pause())
		last.status, last.header, last.body = response.StatusCode, response.Header, body
	})
}

func (f *refusals) accepted(of class) {
	f.update(func() { delete(f.classes, of) })
}

// update changes the classes, and reports the change.
func (f *refusals) update(change func()) {
	f.mu.Lock()
	change()
	message := ""
	for _, r := range f.classes {
		if r.count >= refusalsAtOnce {
			message = max(message, words(r.body)) // any, but the same each time
		}
	}
	isNew := message != f.last
	f.last = message
	f.mu.Unlock()
	if isNew {
		f.changed(message)
	}
}

// words returns the message of an answer of the API server.
func words(body []byte) string {
	var status metav1.Status
	if err := json.Unmarshal(body, &status); err == nil && status.Message != "" {
		return status.Message
	}
	return strings.TrimSpace(string(body))
}
