//go:build linux

package dockerd

import (
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// serve answers as an engine whose only container has the states one after the other, a
// state for each list, and whose removal answers with a status.
func serve(t *testing.T, removal int, states ...string) (d *Daemon, removals *atomic.Int32) {
	t.Helper()
	dir := t.TempDir()
	d, err := New(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", filepath.Join(dir, "docker.sock"))
	if err != nil {
		t.Fatal(err)
	}
	var lists, deletes atomic.Int32
	mux := http.NewServeMux()
	mux.HandleFunc("GET /containers/json", func(w http.ResponseWriter, _ *http.Request) {
		at := min(int(lists.Add(1)), len(states)) - 1
		fmt.Fprintf(w, `[{"Id":"c","State":%q}]`, states[at])
	})
	mux.HandleFunc("DELETE /containers/c", func(w http.ResponseWriter, _ *http.Request) {
		deletes.Add(1)
		w.WriteHeader(removal)
	})
	server := &http.Server{Handler: mux} //nolint:gosec // its only client is this test
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return d, &deletes
}

func TestEndContainers(t *testing.T) {
	for name, test := range map[string]struct {
		states   []string
		removal  int
		removals int32
		wantErr  bool
	}{
		"ends what runs":              {states: []string{"running", "removing"}, removal: http.StatusNoContent, removals: 1},
		"a client removes it already": {states: []string{"running", "paused", "dead"}, removal: http.StatusConflict, removals: 2},
		"it is gone":                  {states: []string{"restarting", "exited"}, removal: http.StatusNotFound, removals: 1},
		"no process":                  {states: []string{"dead"}, removal: http.StatusConflict},
		"the engine fails":            {states: []string{"running"}, removal: http.StatusInternalServerError, removals: 1, wantErr: true},
	} {
		t.Run(name, func(t *testing.T) {
			d, removals := serve(t, test.removal, test.states...)
			if err := d.endContainers(t.Context()); (err != nil) != test.wantErr {
				t.Errorf("endContainers() = %v, want an error: %v", err, test.wantErr)
			}
			if got := removals.Load(); got != test.removals {
				t.Errorf("%d removals, want %d", got, test.removals)
			}
		})
	}
}
