package main

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/lifecycle"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/property"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

func TestExitCodes(t *testing.T) {
	resource := schema.GroupResource{Resource: "apps"}
	for _, test := range []struct {
		err  error
		code int
	}{
		{nil, 0},
		{errors.New("x"), 1},
		{&instance.RunningError{PID: 5}, 1},
		{client.ErrDaemonEnded, 1},
		{&client.NoDaemonError{Instance: "2"}, 1},
		{&lifecycle.DiedError{}, 1},
		{context.Canceled, 1},
		{&interruptedError{}, 130},
		{apierrors.NewUnauthorized("x"), 1},
		{apierrors.NewNotFound(resource, "app"), 1},
		{&usageError{"x"}, 2},
		{&kong.ParseError{}, 2},
		{&property.UsageError{Message: "x"}, 2},
		{apierrors.NewForbidden(resource, "app", errors.New("x")), 3},
		{apierrors.NewInvalid(schema.GroupKind{Kind: "App"}, "app", nil), 3},
		{context.DeadlineExceeded, 4},
		{&client.NotSettledError{Last: errors.New("x")}, 4},
		{&lifecycle.NotReadyError{PID: 5}, 4},
		{&lifecycle.HungError{PID: 5}, 1},
		{statusError(7), 7},
	} {
		wrapped := test.err
		if wrapped != nil {
			wrapped = fmt.Errorf("change the App: %w", test.err)
		}
		if got := exitCode(wrapped); got != test.code {
			t.Errorf("%T %v: %d, want %d", test.err, test.err, got, test.code)
		}
	}
}

func TestReportPrintsOneLine(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{statusError(1), ""},
		{errors.New("no disk"), "rdd: no disk\n"},
		{errors.New("see 'rdd status'"), "rdd: see 'rdd --instance work status'\n"},
		{&interruptedError{}, "rdd: interrupted\n"},
		{&interruptedError{continues: true}, "rdd: interrupted: the operation continues in the background; see 'rdd --instance work status'\n"},
	} {
		var out strings.Builder
		report(&out, instance.Instance{Name: "work"}, test.err)
		if out.String() != test.want {
			t.Errorf("%v: %q, want %q", test.err, out.String(), test.want)
		}
	}
}

func TestInterruptedReportsOnlySignals(t *testing.T) {
	ended, end := context.WithCancel(context.Background())
	end()
	failure := errors.New("no disk")
	for _, test := range []struct {
		ctx      context.Context
		applying bool
		err      error
		want     error
	}{
		{context.Background(), true, context.Canceled, context.Canceled},
		{ended, false, nil, nil},
		{ended, false, failure, failure},
		{ended, false, statusError(143), statusError(143)},
		{ended, false, fmt.Errorf("wait: %w", context.Canceled), &interruptedError{}},
		{ended, false, statusError(1), &interruptedError{}},
		{ended, true, context.Canceled, &interruptedError{continues: true}},
	} {
		s := &session{ctx: test.ctx, applying: test.applying}
		if got := s.interrupted(test.err); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%v, applying %v: %v, want %v", test.err, test.applying, got, test.want)
		}
	}
}
