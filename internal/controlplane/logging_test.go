package controlplane

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// All lines that clients can cause share one key, and other lines are logged.
func TestConnectionLogSharesClientKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		var lines logLimiter
		log := connectionLog{slog.New(slog.NewTextHandler(&logged, nil)), &lines}
		for i := range 100 {
			for _, line := range []string{
				"http: TLS handshake error from 127.0.0.1:%d: EOF",
				"http2: server: error reading preface from client 127.0.0.1:%[1]d: bogus greeting \"%[1]d\"",
				"http2: received GOAWAY [FrameHeader GOAWAY len=%d], starting graceful shutdown",
			} {
				fmt.Fprintf(log, line+"\n", i)
			}
		}
		if len(lines.keys) != 1 || logged.Len() != 0 {
			t.Errorf("lines of clients have %d keys, and the log has %q", len(lines.keys), &logged)
		}
		for _, line := range []string{"http: panic serving 1: one", "http2: panic serving 1: two", "http: Accept error: full; retrying in 5ms"} {
			fmt.Fprintln(log, line)
			if !strings.Contains(logged.String(), line) {
				t.Errorf("not logged: %s", line)
			}
		}
	})
}

// The loggers of all libraries are set.
func TestLibrariesLogToDaemonLog(t *testing.T) {
	var logged bytes.Buffer
	before := libraryLog.logger.Load()
	captureLogs(slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if before != nil {
		defer captureLogs(before)
	}
	klog.Background().Info("by klog")
	log.Log.WithName("cache").Info("by controller-runtime")
	for _, want := range []string{"by klog", "by controller-runtime"} {
		if !strings.Contains(logged.String(), want) {
			t.Errorf("the log %q lacks the line %s", &logged, want)
		}
	}
}

func TestAbandonedRequestIsNoError(t *testing.T) {
	for _, tc := range []struct {
		message, err string
		want         bool
	}{
		{"Unhandled Error", "FinishRequest: post-timeout activity - time-elapsed: 7µs, panicked: false, err: context canceled, panic-reason: <nil>", true},
		{"Unhandled Error", "FinishRequest: post-timeout activity - time-elapsed: 7µs, panicked: true, err: <nil>, panic-reason: a bug", false},
		{"Unhandled Error", "context canceled", false},
		{"Failed to watch", "context canceled", true},
		{"Failed to watch", "apps is forbidden", false},
	} {
		record := slog.NewRecord(time.Now(), slog.LevelError, tc.message, 0)
		record.AddAttrs(slog.String("logger", "UnhandledError"), slog.Any("err", errors.New(tc.err)))
		if is := isAbandonedRequest(record); is != tc.want {
			t.Errorf("%s: %q: abandoned %t, want %t", tc.message, tc.err, is, tc.want)
		}
	}
}
