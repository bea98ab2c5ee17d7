// Package limahosttest has a fake host agent, for the tests of its clients.
package limahosttest

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
)

// Agent runs a fake host agent until the test ends. It holds the lock and serves
// status. One with a nil status does not answer.
func Agent(t *testing.T, paths limahost.Paths, status *limahost.Status) {
	t.Helper()
	if err := os.MkdirAll(paths.Dir(), 0o700); err != nil {
		t.Fatal(err)
	}
	lock, err := instance.Lock(paths.PidFile())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lock.Release() })
	if status == nil {
		return
	}
	listener, err := net.Listen("unix", paths.Socket())
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(status)
	}), ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
}
