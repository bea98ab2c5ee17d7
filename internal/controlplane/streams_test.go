package controlplane_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/controlplanetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/memory"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// streamed is a control plane with an engine in memory and a client over the network.
type streamed struct {
	server *controlplane.Server
	opts   controlplane.Options
	engine *memory.Engine
	// isDown makes the engine unavailable.
	isDown atomic.Bool
	// lost ends, with disconnect, when the connection to the engine does.
	lost       atomic.Pointer[context.Context]
	disconnect context.CancelCauseFunc
	config     *rest.Config
	http       *http.Client
}

func newStreamed(t *testing.T) *streamed {
	t.Helper()
	return newStreamedWith(t, func(e engine.Engine) engine.Engine { return e })
}

// newStreamedWith returns a control plane that uses its engine through another one.
func newStreamedWith(t *testing.T, through func(engine.Engine) engine.Engine) *streamed {
	t.Helper()
	s := &streamed{engine: memory.New("streams"), opts: controlplanetest.Options(t)}
	conn := through(s.engine.Dial())
	s.opts.WriteLimit = time.Second
	s.connect()
	s.opts.Engine = func(context.Context) (engine.Connection, error) {
		if s.isDown.Load() {
			return engine.Connection{}, errors.New("no container engine is connected, because none is running: run 'rdd start'")
		}
		return engine.Connection{Engine: conn, Lost: *s.lost.Load()}, nil
	}
	s.server = controlplanetest.StartWith(t, s.opts)
	must(t, dynamicClient(t, s.server.RESTConfig()), namespaces, newNamespace("n"))
	s.engine.AddImage("app")
	s.config = userConfig(t, s.opts)
	var err error
	if s.http, err = rest.HTTPClientFor(s.config); err != nil {
		t.Fatal(err)
	}
	return s
}

// connect begins a connection to the engine.
func (s *streamed) connect() {
	lost, disconnect := context.WithCancelCause(context.Background())
	s.lost.Store(&lost)
	s.disconnect = disconnect
}

// breakOff ends the connection to the engine, which continues to run, and begins the next.
func (s *streamed) breakOff(why string) {
	disconnect := s.disconnect
	s.connect()
	disconnect(engine.LostError{Why: why})
}

// container adds a container that runs a script, or only exists, and its mirror.
func (s *streamed) container(t *testing.T, script string) string {
	t.Helper()
	spec := memory.ContainerSpec{Image: "app", OpenStdin: true}
	if script != "" {
		spec.Command, spec.Runs = []string{"sh", "-c", script}, true
	}
	id := s.engine.AddContainerSpec(spec)
	must(t, dynamicClient(t, s.server.RESTConfig()), mirrors("containers"), newMirror("Container", "n", id))
	if err := s.engine.StartContainer(id); err != nil {
		t.Fatal(err)
	}
	return id
}

func (s *streamed) path(id, subresource string) string {
	return s.config.Host + "/apis/containers.rancherdesktop.io/v1alpha1/namespaces/n/containers/" + id + "/" + subresource
}

func (s *streamed) get(t *testing.T, path string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// text returns the whole answer to a GET.
func (s *streamed) text(t *testing.T, path string) (int, string) {
	t.Helper()
	resp := s.get(t, path)
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(content)
}

func TestStreamLog(t *testing.T) {
	s := newStreamed(t)
	id := s.container(t, "echo one; echo two >&2; seq 3 5")
	testkit.EventuallyTrue(t, deadline, "the end", func() bool { return s.engine.ContainerStatus(id) == "exited" })
	idle := s.container(t, "")
	for query, want := range map[string]string{
		"":                               "one\ntwo\n3\n4\n5\n",
		"follow=true":                    "one\ntwo\n3\n4\n5\n",
		"tailLines=2":                    "4\n5\n",
		"tailLines=0":                    "",
		"stream=stderr":                  "two\n",
		"stream=Stdout&tailLines=9":      "one\n3\n4\n5\n",
		"limitBytes=5":                   "one\nt",
		"limitBytes=5&follow":            "one\nt",
		"sinceTime=2001-01-01T0:0:0":     "sinceTime",
		"sinceSeconds=3600":              "one\ntwo\n3\n4\n5\n",
		"sinceTime=2999-01-01T00:00:00Z": "",
		"tailLines=-1":                   "0 or more",
		"tailLines=1&tailLines=2":        "give it once",
		"limitBytes=0":                   "1 or more",
		"follow=maybe":                   "true or false",
		"stream=stdin":                   "use stdout, stderr",
		"tail=3":                         "tailLines",
		"previous=true":                  "sinceTime",
		"sinceSeconds=1&sinceTime=2001-01-01T00:00:00Z": "use one of them",
	} {
		code, got := s.text(t, s.path(id, "log?"+query))
		if code == http.StatusOK && got != want || code != http.StatusOK && (code != http.StatusBadRequest || !strings.Contains(got, want) || want == "") {
			t.Errorf("%s: %d %q, want %q", query, code, got, want)
		}
	}
	if code, got := s.text(t, s.path(idle, "log")); code != http.StatusOK || got != "" {
		t.Errorf("a container without output: %d %q", code, got)
	}
	if code, got := s.text(t, s.path(strings.Repeat("ab", 32), "log")); code != http.StatusNotFound {
		t.Errorf("a missing container: %d %q", code, got)
	}
	s.isDown.Store(true)
	for _, subresource := range []string{"log", "stats"} {
		if code, got := s.text(t, s.path(id, subresource)); code != http.StatusServiceUnavailable || !strings.Contains(got, "rdd start") {
			t.Errorf("%s without an engine: %d %q", subresource, code, got)
		}
	}
}

func TestStreamNeedsToken(t *testing.T) {
	s := newStreamed(t)
	id := s.container(t, "")
	anonymous := rest.AnonymousClientConfig(s.config)
	client, err := rest.HTTPClientFor(anonymous)
	if err != nil {
		t.Fatal(err)
	}
	for _, subresource := range []string{"log", "stats", "exec?command=true", "attach"} {
		resp, err := client.Get(s.path(id, subresource)) //nolint:noctx // the server answers at once
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s without a token: %s", subresource, resp.Status)
		}
	}
}

// A log ends with its container, its engine and its server, and says so.
func TestStreamLogSaysWhyItEnds(t *testing.T) {
	s := newStreamed(t)
	follow := func() (first string, rest func() string, reason func() string) {
		id := s.container(t, "echo begin; sleep 1000")
		resp := s.get(t, s.path(id, "log?follow=true"))
		buffer := make([]byte, 6)
		if _, err := io.ReadFull(resp.Body, buffer); err != nil {
			t.Fatal(err)
		}
		return string(buffer), func() string {
			rest, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Errorf("read the end of a log: %v", err)
			}
			return string(rest)
		}, func() string { return resp.Trailer.Get("X-Rdd-Reason") }
	}
	first, rest, reason := follow()
	s.engine.CloseStreams()
	if got := rest(); first != "begin\n" || !strings.Contains(got, "rdd: the log ends here: the engine") || !strings.Contains(reason(), "the engine") {
		t.Errorf("an engine that ends: %q and %q, trailer %q", first, got, reason())
	}
	_, rest, reason = follow()
	s.breakOff("the engine is silent")
	if got := rest(); !strings.Contains(got, "rdd: the log ends here: the engine is silent: retry") || !strings.Contains(reason(), "silent") {
		t.Errorf("a connection that is lost: %q, trailer %q", got, reason())
	}
	_, rest, reason = follow()
	began := time.Now()
	go func() { _ = s.server.Stop(context.Background()) }()
	if got := rest(); !strings.Contains(got, "rdd is stopping") || reason() == "" {
		t.Errorf("a server that stops: %q, trailer %q", got, reason())
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the stop of the server took %s", took)
	}
}

// A client that does not read is dropped, and 200 followers cost bounded memory.
func TestStreamFollowersAreBounded(t *testing.T) {
	const followers = 200
	s := newStreamed(t)
	id := s.container(t, "echo begin; sleep 1000")
	before := heapInUse()
	var bodies []io.ReadCloser
	for range followers {
		bodies = append(bodies, s.get(t, s.path(id, "log?follow=true")).Body)
	}
	buffer := make([]byte, 6)
	for _, body := range bodies {
		if _, err := io.ReadFull(body, buffer); err != nil {
			t.Fatal(err)
		}
	}
	used := (int64(heapInUse()) - int64(before)) / followers
	t.Logf("a follower and its client use %d KiB", used>>10)
	if used > 256<<10 {
		t.Errorf("a follower uses %d KiB", used>>10)
	}
	for _, body := range bodies {
		_ = body.Close()
	}
	idle := newIdleClient(t, rest.CopyConfig(s.config), strings.TrimPrefix(s.path(id, "log?follow=true"), s.config.Host), 1)
	testkit.EventuallyTrue(t, deadline, "the stream to begin", func() bool { return idle.opened.Load() == 1 })
	line := strings.Repeat("x", 64<<10) + "\n"
	testkit.EventuallyTrue(t, deadline, "the end of the stream", func() bool {
		if err := s.engine.WriteLog(id, memory.Stdout, line); err != nil {
			t.Fatal(err)
		}
		return idle.reset.Load() == 1
	})
}

func TestStreamStats(t *testing.T) {
	s := newStreamed(t)
	id := s.container(t, "")
	code, got := s.text(t, s.path(id, "stats?stream=false"))
	if code != http.StatusOK || strings.Count(got, "\n") != 1 || !strings.Contains(got, `"usageNanoCores":1000000`) {
		t.Errorf("stats once: %d %q", code, got)
	}
	resp := s.get(t, s.path(id, "stats"))
	line := make([]byte, len(got)-8)
	if _, err := io.ReadFull(resp.Body, line); err != nil {
		t.Fatal(err)
	}
	s.engine.CloseStreams()
	rest, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(rest), `"kind":"Status"`) {
		t.Errorf("the end of stats: %q, %v", rest, err)
	}
	resp = s.get(t, s.path(id, "stats"))
	if _, err := io.ReadFull(resp.Body, line); err != nil {
		t.Fatal(err)
	}
	s.breakOff("the engine is silent")
	if rest, err = io.ReadAll(resp.Body); err != nil || !strings.Contains(string(rest), "the engine is silent") {
		t.Errorf("the end of stats of a connection that is lost: %q, %v", rest, err)
	}
	if err := s.engine.KillContainer(id); err != nil {
		t.Fatal(err)
	}
	if code, got := s.text(t, s.path(id, "stats")); code != http.StatusConflict || !strings.Contains(got, "not running") {
		t.Errorf("stats of a stopped container: %d %q", code, got)
	}
}

func TestStreamsAreInDiscovery(t *testing.T) {
	s := newStreamed(t)
	client, err := discovery.NewDiscoveryClientForConfig(s.config)
	if err != nil {
		t.Fatal(err)
	}
	legacy, err := client.ServerResourcesForGroupVersion("containers.rancherdesktop.io/v1alpha1")
	if err != nil {
		t.Fatal(err)
	}
	_, aggregated, err := client.ServerGroupsAndResources()
	if err != nil {
		t.Fatal(err)
	}
	lists := map[string][]string{}
	for _, r := range legacy.APIResources {
		lists["legacy"] = append(lists["legacy"], r.Name)
	}
	for _, list := range aggregated {
		for _, r := range list.APIResources {
			lists["aggregated"] = append(lists["aggregated"], r.Name)
		}
	}
	for name, list := range lists {
		for _, want := range []string{"containers", "containers/log", "containers/exec", "containers/attach", "containers/stats", "containers/status"} {
			if !slices.Contains(list, want) {
				t.Errorf("the %s discovery lacks %s: %q", name, want, list)
			}
		}
	}
	if err := rest.SetKubernetesDefaults(rest.CopyConfig(s.config)); err != nil {
		t.Fatal(err)
	}
	if _, err := client.RESTClient().Get().AbsPath("/apis/containers.rancherdesktop.io/v1alpha1/namespaces/n/containers/x/nothing").DoRaw(t.Context()); !apierrors.IsNotFound(err) {
		t.Errorf("an unknown subresource: %v", err)
	}
}
