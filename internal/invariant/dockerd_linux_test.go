package invariant

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker/dockertest"
)

// A real engine has more fields than a simulated one, and both mappings must agree.
func TestMappingsAgreeOnRealEngine(t *testing.T) {
	daemon := dockertest.Start(t)
	raw, err := newRawEngine(daemon.Endpoint(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer raw.close()
	dockertest.Import(t.Context(), t, dockertest.Client(t, daemon.Endpoint()), "busy:1", "1")
	post(t, raw, "/volumes/create", `{"Name":"My_Volume","Labels":{"a":"","b":"0"},"DriverOpts":{"type":"tmpfs","device":"tmpfs"}}`)
	post(t, raw, "/containers/create?name=one", `{"Image":"busy:1","Cmd":["sleep","0",""],"Labels":{"x.y/z":"ü"},"ExposedPorts":{"80/tcp":{},"53/udp":{}},
		"HostConfig":{"NetworkMode":"host","PortBindings":{"80/tcp":[{"HostPort":"8080"}]}}}`)
	for _, d := range check(t, FromEndpoint(daemon.Endpoint(), ""), faithful(t, daemon.Endpoint())) {
		t.Error(d)
	}
}

// post creates an object in the engine.
func post(t *testing.T, engine *rawEngine, path, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, engine.base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := engine.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode != http.StatusCreated {
		t.Fatalf("%s: %s %s %v", path, answer.Status, text, err)
	} else if !json.Valid(text) {
		t.Fatalf("%s answers %s", path, text)
	}
}
