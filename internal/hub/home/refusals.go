package home

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
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
	// forgetAfter is how long after the last refusal a class is forgotten.
	forgetAfter = 3 * refusalPause
	// refusalsAtOnce is how many requests of a class the hub refuses in a row before the
	// class is paused. A single object can be refused for a reason of its own.
	refusalsAtOnce = 3
	// maxRefusal bounds the answer that is kept, in bytes.
	maxRefusal = 64 << 10
)

// class is a kind of request, such as "POST containers". A missing right or an exhausted
// quota concerns all requests of a class.
type class string

// classOf returns the class of a request, whose path is
// /api/VERSION/… or /apis/GROUP/VERSION/…, then namespaces/NAME/ in a namespace, and then
// RESOURCE/NAME/SUBRESOURCE, of which only the first part is always there.
func classOf(r *http.Request) class {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	prefix := 2
	if parts[0] == "apis" {
		prefix = 3
	}
	parts = parts[min(prefix, len(parts)):]
	if len(parts) > 2 && parts[0] == "namespaces" {
		parts = parts[2:]
	}
	switch {
	case len(parts) == 0:
		return class(r.Method)
	case len(parts) > 2:
		return class(r.Method + " " + parts[0] + "/" + parts[2])
	default:
		return class(r.Method + " " + parts[0])
	}
}

// refusals is a transport that pauses a class of requests that the hub refuses. In the
// pause it repeats the hub's answer, and after it one request is sent again.
type refusals struct {
	next http.RoundTripper
	// changed is called, in order, with the hub's words when a class is paused,
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
	at     time.Time // of the last one
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
		closeBody(r)
		return answer, nil
	}
	response, err := f.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if !isAnyRefusal(response.StatusCode) {
		f.accepted(of)
		return response, nil
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxRefusal))
	_ = response.Body.Close()
	if err != nil {
		return nil, fmt.Errorf("read the answer of the hub: %w", err)
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	if isRefusal(r, response.StatusCode, words(body)) {
		f.refused(of, response, body)
	} else if response.StatusCode != http.StatusForbidden {
		f.accepted(of)
	}
	return response, nil
}

// isAnyRefusal reports whether the answer with a status may refuse more than one object.
func isAnyRefusal(status int) bool {
	return status == http.StatusForbidden || status == http.StatusNotFound || status == http.StatusMethodNotAllowed
}

// isRefusal reports whether all requests like this one are refused, and not only the object
// in it, as by an admission policy: the user lacks a right, a quota is exhausted, or the
// namespace or the definition is being deleted, or is missing, so that a create finds nothing
// or is not allowed. The words are those of Kubernetes' authorizer and of its admission.
func isRefusal(r *http.Request, status int, message string) bool {
	if status == http.StatusNotFound || status == http.StatusMethodNotAllowed {
		return r.Method == http.MethodPost
	}
	lacksRight := strings.Contains(message, `User "`) && strings.Contains(message, "cannot ")
	return lacksRight || strings.Contains(message, "quota") || strings.Contains(message, "being terminated")
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
		last.at = time.Now()
		last.until = time.Now().Add(last.pause())
		last.status, last.header, last.body = response.StatusCode, response.Header, body
	})
	time.AfterFunc(forgetAfter, f.forget)
}

// forget drops the classes of which no request was refused for long, because none is made
// any more.
func (f *refusals) forget() {
	f.update(func() {
		maps.DeleteFunc(f.classes, func(_ class, r *refusal) bool { return time.Since(r.at) >= forgetAfter })
	})
}

func (f *refusals) accepted(of class) {
	f.update(func() { delete(f.classes, of) })
}

// update changes the classes, and reports the change.
func (f *refusals) update(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
	message := ""
	for _, r := range f.classes {
		if r.count >= refusalsAtOnce {
			message = max(message, words(r.body)) // any, but the same each time
		}
	}
	if message != f.last {
		f.last = message
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
