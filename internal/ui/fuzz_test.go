package ui

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Whatever a client sends, a request of the API is a watch, each watch has one end, and an
// event belongs to a watch that has not ended.
func FuzzWatchCommands(f *testing.F) {
	for _, text := range []string{
		`{"id":1,"path":"/apis/closed?watch=1"}`, `{"id":1,"path":"/apis/gone-later?watch=true&resourceVersion=1"}`,
		`{"id":1,"path":"/api/v1/namespaces?watch=1"}` + "\n" + `{"id":2,"path":"/apis/gone?watch=1"}`,
		`{"id":1,"path":"/tree"}` + "\n" + `{"id":1,"stop":true}` + "\n" + `{"id":1,"path":"/tree"}`,
		`{"id":9007199254740992,"path":"/tree"}`, `{"id":1,"path":"//x/apis/a?watch=1"}`, `{"id":1,"path":"/apis/%2e%2e/x?watch=1"}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		all := &watches{
			ctx: t.Context(), out: newOutbox(1<<20, time.Minute), logger: slog.New(slog.DiscardHandler), stops: map[int64]context.CancelCauseFunc{},
			followTree: func(ctx context.Context, emit func(any) error) error { return emit("tree") },
			api: func() http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Query().Get("watch") == "" || !strings.HasPrefix(r.URL.Path, "/api") || r.Method != http.MethodGet || r.Header.Get("Cookie") != "" {
						t.Errorf("the API gets %s %s", r.Method, r.RequestURI)
					}
					watchAPI().ServeHTTP(w, r)
				})
			},
		}
		begun := 0
		for line := range bytes.SplitSeq(text, []byte("\n")) {
			c, parseErr := parseCommand(line)
			if bytes.Contains(line, []byte("/apis/endless")) || bytes.Contains(line, []byte("/apis/open")) {
				continue // they do not end by themselves
			}
			if all.handle(line) == nil && parseErr == nil && !c.Stop {
				begun++
			}
		}
		all.running.Wait()
		ended := checkMessages(t, all.out.messages)
		if ended != begun || len(all.stops) != 0 {
			t.Errorf("%d watches began, %d ended, %d remain", begun, ended, len(all.stops))
		}
	})
}

// checkMessages returns the number of watches that have ended.
func checkMessages(t *testing.T, messages [][]byte) int {
	t.Helper()
	ended := 0
	for _, text := range messages {
		var m struct {
			ID    int64           `json:"id"`
			Event json.RawMessage `json:"event"`
			Ended json.RawMessage `json:"ended"`
		}
		if err := json.Unmarshal(text, &m); err != nil || m.ID < 1 || (m.Event == nil) == (m.Ended == nil) {
			t.Errorf("the message %s: %v", text, err)
		}
		if m.Ended != nil {
			ended++
		}
	}
	return ended
}
