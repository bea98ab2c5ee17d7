package external

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm/drivertest"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

func TestConformance(t *testing.T) {
	drivertest.Run(t, func(t *testing.T) drivertest.Fixture {
		endpoint := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
		return drivertest.Fixture{
			New:  func() vm.Driver { return New("") },
			Spec: messages.VMSpec{Driver: appv1.DriverExternal, Endpoint: endpoint},
		}
	})
}

// serve serves HTTP at a unix socket, as an engine does.
func serve(t *testing.T, handler http.HandlerFunc) (endpoint string) {
	t.Helper()
	path := filepath.Join(testkit.ShortDir(t), "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: handler}}
	server.Start()
	t.Cleanup(server.Close)
	return "unix://" + path
}

// Users read these errors in a condition. Each must name the cause.
func TestStartErrorsNameCause(t *testing.T) {
	dir := t.TempDir()
	refused := filepath.Join(dir, "refused")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: refused, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	listener.SetUnlinkOnClose(false)
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()

	tests := map[string]struct{ endpoint, want string }{
		"no socket":    {"unix://" + filepath.Join(dir, "none"), "there is no socket at"},
		"refused":      {"unix://" + refused, "nothing listens at"},
		"TLS":          {strings.Replace(secure.URL, "https", "tcp", 1), "demands TLS"},
		"no engine":    {serve(t, http.NotFound), "answers 404"},
		"ssh":          {"ssh://user@host", "does not connect over SSH"},
		"no URL":       {"/var/run/docker.sock", "use unix:///"},
		"no host":      {"tcp://", "use unix:///"},
		"empty socket": {"unix://", "use unix:///"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			spec := messages.VMSpec{Driver: appv1.DriverExternal, Endpoint: test.endpoint}
			_, err := New("").Start(t.Context(), spec, func(string) {})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Start: %v, want %q", err, test.want)
			}
			if _, err := New("").Available(t.Context(), spec); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Available: %v, want %q", err, test.want)
			}
		})
	}
}

func TestPingEndsWithContext(t *testing.T) {
	hold := make(chan struct{})
	endpoint := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hold:
		case <-r.Context().Done():
		}
	})
	defer close(hold)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := New("").Ping(ctx, endpoint)
		ended <- err
	}()
	cancel()
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "no answer") {
		t.Errorf("Ping: %v", err)
	}
}

func TestAvailableRefusesContainerd(t *testing.T) {
	if _, err := New("").Available(t.Context(), messages.VMSpec{Engine: appv1.EngineContainerd}); err == nil {
		t.Error("an external containerd is available")
	}
}

// Podman answers pings, and its API is much like Docker's.
func TestStartRefusesPodman(t *testing.T) {
	endpoint := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		if r.URL.Path == "/version" {
			_, _ = w.Write([]byte(`{"Version":"4.3.1","ApiVersion":"1.41","Components":[{"Name":"Podman Engine","Version":"4.3.1"},{"Name":"Conmon"}]}`))
		}
	})
	spec := messages.VMSpec{Driver: appv1.DriverExternal, Endpoint: endpoint}
	if _, err := New("").Available(t.Context(), spec); err == nil || !strings.Contains(err.Error(), "is Podman") {
		t.Errorf("Available: %v", err)
	}
	if _, err := New("").Start(t.Context(), spec, func(string) {}); err == nil || !strings.Contains(err.Error(), "is Podman") {
		t.Errorf("Start: %v", err)
	}
}
