package main

import (
	"errors"
	"fmt"
	"io"
	"syscall"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest/dockerd"
)

func TestErrorIsExpectedOnlyInOutage(t *testing.T) {
	refused := fmt.Errorf("get: %w", syscall.ECONNREFUSED)
	missing := apierrors.NewNotFound(schema.GroupResource{Resource: "containers"}, "x")
	for name, test := range map[string]struct {
		err      error
		outage   bool
		expected bool
	}{
		"connection refused in an outage":      {refused, true, true},
		"connection refused at another time":   {refused, false, false},
		"a stream ends in an outage":           {fmt.Errorf("follow: %w", errEnded), true, true},
		"a stream ends at another time":        {fmt.Errorf("follow: %w", errEnded), false, false},
		"no service in an outage":              {apierrors.NewServiceUnavailable("no engine is connected"), true, true},
		"an object is missing in an outage":    {missing, true, false},
		"the engine refuses, in an outage":     {&dockerd.AnswerError{Status: 409}, true, false},
		"an error of no known kind, in outage": {errors.New("other"), true, false},
		"a connection is closed in an outage":  {io.ErrUnexpectedEOF, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			var o outages
			began := time.Now().Add(-time.Minute)
			if test.outage {
				o.begin()()
			} else {
				o.all = append(o.all, outage{began.Add(-time.Hour), began.Add(-time.Hour)})
			}
			counts := newTally()
			counts.add("get", began, &o, test.err)
			if got := len(counts.Expected) == 1 && len(counts.Unexpected) == 0; got != test.expected {
				t.Errorf("expected %v, unexpected %v", counts.Expected, counts.Unexpected)
			}
		})
	}
}

func TestOutageCoversWhatOverlaps(t *testing.T) {
	at := func(second int) time.Time { return time.Unix(int64(second), 0) }
	o := outages{all: []outage{{at(10), at(20)}, {at(100), time.Time{}}}}
	for _, test := range []struct {
		began, ended int
		want         bool
	}{{1, 9, false}, {1, 11, true}, {12, 13, true}, {21, 30, true}, {23, 30, false}, {23, 101, true}, {500, 501, true}} {
		if got := o.during(at(test.began), at(test.ended)); got != test.want {
			t.Errorf("during(%d, %d) = %v", test.began, test.ended, got)
		}
	}
}
