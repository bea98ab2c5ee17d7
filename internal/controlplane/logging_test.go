package controlplane

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
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
