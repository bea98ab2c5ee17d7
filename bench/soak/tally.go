package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/streaming/pkg/httpstream"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest/dockerd"
)

// maxExamples is how many unexpected errors are kept with their text.
const maxExamples = 50

// tally counts operations, and their errors by kind.
type tally struct {
	mu sync.Mutex
	// Done are the operations that succeeded, by name.
	Done map[string]int `json:"done"`
	// Expected and Unexpected are the errors, by operation and kind.
	Expected   map[string]int `json:"expected"`
	Unexpected map[string]int `json:"unexpected"`
	// Examples are the first unexpected errors.
	Examples []string `json:"examples,omitempty"`
}

func newTally() *tally {
	return &tally{Done: map[string]int{}, Expected: map[string]int{}, Unexpected: map[string]int{}}
}

// add counts an operation. An error is expected if it is one of a lost connection, and the
// operation overlaps with an outage.
func (t *tally) add(name string, began time.Time, outages *outages, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		t.Done[name]++
		return
	}
	ended := time.Now()
	kind, connection := kindOf(err)
	if connection && outages.during(began, ended) {
		t.Expected[name+": "+kind]++
		return
	}
	t.Unexpected[name+": "+kind]++
	if len(t.Examples) < maxExamples {
		t.Examples = append(t.Examples, fmt.Sprintf("%s %s (%.1f s): %v", ended.UTC().Format(time.TimeOnly), name, ended.Sub(began).Seconds(), err))
	}
}

// errEnded means that a stream ended, and its client did not end it.
var errEnded = errors.New("the stream ended early")

// errFailed means that rdd reported that it could not carry out a change.
var errFailed = errors.New("it failed")

// kindOf returns the kind of an error, and whether a lost connection of a client or of the
// engine can cause it.
func kindOf(err error) (kind string, connection bool) {
	var answer *dockerd.AnswerError
	var network net.Error
	var upgrade *httpstream.UpgradeFailureError
	switch reason := apierrors.ReasonForError(err); {
	case errors.Is(err, errEnded):
		return "ended early", true
	case errors.Is(err, errFailed):
		return "failed", true
	case reason == metav1.StatusReasonServiceUnavailable, reason == metav1.StatusReasonTooManyRequests, reason == metav1.StatusReasonTimeout:
		return string(reason), true
	case reason != metav1.StatusReasonUnknown:
		return string(reason), false
	case errors.As(err, &upgrade): // the cause, such as a status of 503, is text
		return "stream refused", true
	case errors.As(err, &answer):
		return fmt.Sprintf("engine %d", answer.Status), false
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused", true
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection reset", true
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "connection closed", true
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout", true
	case errors.As(err, &network):
		return "network", true
	}
	return "other", false
}
