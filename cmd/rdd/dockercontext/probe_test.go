package dockercontext

import (
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// listen returns a listener that is closed with the test.
func listen(t *testing.T, network, address string) net.Listener {
	t.Helper()
	listener, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}

func TestAnswersProbesEachEndpoint(t *testing.T) {
	dir := testkit.ShortDir(t)
	refusing := listen(t, "unix", filepath.Join(dir, "refusing.sock"))
	refusing.(*net.UnixListener).SetUnlinkOnClose(false)
	refusing.Close()
	listen(t, "unix", filepath.Join(dir, "silent.sock"))
	testkit.WriteFile(t, filepath.Join(dir, "file.sock"), "")
	port := listen(t, "tcp", "127.0.0.1:0")
	closed := listen(t, "tcp", "127.0.0.1:0")
	closed.Close()
	for name, c := range map[string]struct {
		host string
		want bool
	}{
		"Missing":    {"unix://" + dir + "/missing.sock", false},
		"NoSocket":   {"unix://" + dir + "/file.sock", false},
		"Refusing":   {"unix://" + dir + "/refusing.sock", false},
		"Silent":     {"unix://" + dir + "/silent.sock", false},
		"Port":       {"tcp://" + port.Addr().String(), true},
		"ClosedPort": {"tcp://" + closed.Addr().String(), false},
		"SSH":        {"ssh://far.example", true},
		"Unknown":    {"npipe:////./pipe/docker_engine", true},
	} {
		if c.want {
			expectAnswer(t, c.host)
		} else if Answers(t.Context(), c.host) {
			t.Errorf("%s: an engine answers", name)
		}
	}
}

// Any answer counts: a proxy before the engine can refuse pings.
func TestAnswersAnyStatus(t *testing.T) {
	dir := testkit.ShortDir(t)
	var served atomic.Bool
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		served.Store(true)
		w.WriteHeader(http.StatusForbidden)
	})}
	listener := listen(t, "unix", filepath.Join(dir, "docker.sock"))
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	expectAnswer(t, "unix://"+filepath.Join(dir, "docker.sock"))
	if !served.Load() {
		t.Error("no request was served")
	}
}

// expectAnswer probes repeatedly, because a loaded machine can miss the deadline of a
// probe.
func expectAnswer(t *testing.T, host string) {
	t.Helper()
	testkit.EventuallyTrue(t, time.Minute, "an answer of "+host, func() bool { return Answers(t.Context(), host) })
}
