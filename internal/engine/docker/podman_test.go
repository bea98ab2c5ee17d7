package docker_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// Podman can listen later at the socket where Docker was found. Each new connection
// checks what answers.
func TestConnectRefusesPodman(t *testing.T) {
	var isPodman atomic.Bool
	path := filepath.Join(testkit.ShortDir(t), "s")
	listener := must[net.Listener](t)(net.Listen("unix", path))
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Api-Version", "1.41")
			body := `{}`
			if strings.HasSuffix(r.URL.Path, "/version") {
				body = `{"Version":"4.3.1","Components":[{"Name":"Engine"},{"Name":"containerd"}]}`
				if isPodman.Load() {
					body = `{"Version":"4.3.1","Components":[{"Name":"Podman Engine"},{"Name":"Conmon"}]}`
				}
			}
			_, _ = w.Write([]byte(body))
		})}}
	server.Start()
	t.Cleanup(server.Close)
	engine, ctx := open(t, "unix://"+path), deadline(t, patience)

	must[docker.Info](t)(engine.Connect(ctx))
	isPodman.Store(true)
	if _, err := engine.Connect(ctx); err == nil || !strings.Contains(err.Error(), "is Podman") {
		t.Errorf("Connect: %v", err)
	}
}
