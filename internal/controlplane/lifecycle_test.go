package controlplane_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	containersv1alpha1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/controlplanetest"
)

// The first object of a new definition is not delayed.
func TestFirstCreateOfKindIsFast(t *testing.T) {
	client := dynamicClient(t, controlplanetest.Start(t).RESTConfig())
	begin := time.Now()
	must(t, client, apps(), newApp(nil))
	if took := time.Since(begin); took > 500*time.Millisecond {
		t.Errorf("the first object of a new definition took %v", took)
	}
}

// A restart keeps objects, the token, the certificate and the port.
func TestRestartKeepsObjectsAndToken(t *testing.T) {
	opts := controlplanetest.Options(t)
	first := start(t, opts)
	must(t, dynamicClient(t, first.RESTConfig()), apps(), newApp(map[string]any{"running": true}))
	before := userConfig(t, opts)
	stop(t, first)
	select {
	case <-first.Done():
	default:
		t.Error("Done is open after Stop")
	}
	if err := first.Err(); err != nil {
		t.Errorf("Err after Stop: %v", err)
	}

	second := start(t, opts)
	defer stop(t, second)
	after := userConfig(t, opts)
	if before.Host != after.Host || before.BearerToken != after.BearerToken || string(before.CAData) != string(after.CAData) {
		t.Errorf("address, token or certificate changed: %s, %s", before.Host, after.Host)
	}
	// A client from before the restart still works.
	app, err := dynamicClient(t, before).Resource(apps()).Get(t.Context(), "app", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if running, _, _ := unstructured.NestedBool(app.Object, "spec", "running"); !running {
		t.Error("the App's spec was lost")
	}
}

// Requests to a stopped control plane fail at once.
func TestStoppedServerRefusesRequests(t *testing.T) {
	opts := controlplanetest.Options(t)
	server := start(t, opts)
	client := dynamicClient(t, server.RESTConfig())
	stop(t, server)
	stop(t, server) // twice is fine
	if _, err := client.Resource(apps()).List(t.Context(), metav1.ListOptions{}); err == nil || !strings.Contains(err.Error(), "stopped") {
		t.Errorf("a request after the stop: %v", err)
	}
	if _, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", server.Port()), time.Second); err == nil {
		t.Error("the port is still open")
	}
}

// Two control planes in one process share nothing.
func TestTwoServersAreIndependent(t *testing.T) {
	one, two := dynamicClient(t, controlplanetest.Start(t).RESTConfig()), dynamicClient(t, controlplanetest.Start(t).RESTConfig())
	must(t, one, apps(), newApp(nil))
	if _, err := two.Resource(apps()).Get(t.Context(), "app", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the other one's App: %v", err)
	}
}

// Row E7: if the port is in use, another one is used and written to the kubeconfig.
func TestStartWithPortInUse(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	opts := controlplanetest.Options(t)
	opts.Port = listener.Addr().(*net.TCPAddr).Port
	server := controlplanetest.StartWith(t, opts)
	if server.Port() == opts.Port {
		t.Fatal("the server uses a port that is in use")
	}
	config := userConfig(t, opts)
	if !strings.HasSuffix(config.Host, fmt.Sprintf(":%d", server.Port())) {
		t.Errorf("the kubeconfig says %s", config.Host)
	}
	if _, err := kubeClient(t, config).Discovery().ServerVersion(); err != nil {
		t.Error(err)
	}
}

// Row E8: every request without the token is refused.
func TestRequestWithoutTokenRefused(t *testing.T) {
	opts := controlplanetest.Options(t)
	opts.Handlers = map[string]http.Handler{"/rdd/": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "extra")
	})}
	controlplanetest.StartWith(t, opts)
	config := userConfig(t, opts)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	for _, path := range []string{"/", "/api", "/apis", "/healthz", "/readyz", "/version", "/metrics", "/debug/pprof/", "/openapi/v2", "/rdd/tree", "/nowhere"} {
		for _, token := range []string{"", "wrong", config.BearerToken} {
			want := http.StatusUnauthorized
			if token == config.BearerToken {
				want = http.StatusOK
				if path == "/nowhere" {
					want = http.StatusNotFound
				}
			}
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, config.Host+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if token != "" {
				request.Header.Set("Authorization", "Bearer "+token)
			}
			response, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != want {
				t.Errorf("GET %s with token %q: %s", path, token, response.Status)
			}
		}
	}
}

// The metrics contain those of the process, of the datastore and of an extra collector.
func TestMetricsServed(t *testing.T) {
	extra := prometheus.NewGauge(prometheus.GaugeOpts{Name: "rdd_test_extra", Help: "Of the test."})
	opts := controlplanetest.Options(t)
	opts.Collectors = []prometheus.Collector{extra}
	server := controlplanetest.StartWith(t, opts)
	text, err := kubeClient(t, server.RESTConfig()).Discovery().RESTClient().Get().AbsPath("/metrics").DoRaw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"rdd_test_extra 0", "rdd_datastore_commits_total", "go_goroutines"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

// syncCounter returns a function that returns the number of commits that waited for the disk.
func syncCounter(t *testing.T, client kubernetes.Interface) func() int {
	return func() (count int) {
		t.Helper()
		text, err := client.Discovery().RESTClient().Get().AbsPath("/metrics").DoRaw(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(text), "\nrdd_datastore_syncs_total ")
		if _, err := fmt.Sscan(rest, &count); err != nil {
			t.Fatalf("read the number of syncs: %v", err)
		}
		return count
	}
}

// What a user writes is on the disk before it is acknowledged, and so is the record that it was
// carried out. What else the daemon writes need not be: it is derived.
func TestWritesOfUsersWaitForDisk(t *testing.T) {
	opts := controlplanetest.Options(t)
	server := controlplanetest.StartWith(t, opts)
	syncs := syncCounter(t, kubeClient(t, server.RESTConfig()))
	before := syncs()
	own := dynamicClient(t, server.RESTConfig())
	must(t, own, namespaces, newNamespace("plain"))
	must(t, own, mirrors("volumes"), newMirror("Volume", "plain", "of-daemon"))
	if after := syncs(); after != before {
		t.Errorf("a write of the daemon has waited for the disk: %d syncs before, %d after", before, after)
	}
	container, err := server.Mirrors().Create(t.Context(), &containersv1alpha1.Container{ObjectMeta: metav1.ObjectMeta{Namespace: "plain", Name: "abc"}})
	if err != nil {
		t.Fatal(err)
	}
	write := func(what string, want int, change func(*containersv1alpha1.ContainerStatus)) {
		t.Helper()
		before := syncs()
		change(&container.(*containersv1alpha1.Container).Status)
		if container, err = server.Mirrors().UpdateStatus(t.Context(), container); err != nil {
			t.Fatal(err)
		}
		if after := syncs(); after != before+want {
			t.Errorf("%s: %d syncs before, %d after", what, before, after)
		}
	}
	action := containersv1alpha1.ActionStatus{Action: containersv1alpha1.ActionRestart, State: containersv1alpha1.ActionRunning, ObservedAt: metav1.NowMicro()}
	write("a name", 0, func(s *containersv1alpha1.ContainerStatus) { s.Name = "web" })
	write("a desired state that was reached", 1, func(s *containersv1alpha1.ContainerStatus) { s.ObservedGeneration = 1 })
	write("an action that begins", 1, func(s *containersv1alpha1.ContainerStatus) { s.LastAction = &action })
	write("another name", 0, func(s *containersv1alpha1.ContainerStatus) { s.Name = "web2" })
	before = syncs()
	must(t, own, mirrors("volumecreaterequests"), object(containersv1alpha1.GroupVersion, "VolumeCreateRequest", "plain", "asked", map[string]any{"spec": map[string]any{}}))
	if after := syncs(); after != before+1 {
		t.Errorf("the daemon's write of a request: %d syncs before, %d after", before, after)
	}
	before = syncs()
	user := dynamicClient(t, userConfig(t, opts)).Resource(mirrors("volumes")).Namespace("plain")
	if _, err := user.Patch(t.Context(), "of-daemon", types.MergePatchType, []byte(`{"metadata":{"labels":{"a":"b"}}}`), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	if after := syncs(); after != before+1 {
		t.Errorf("a patch of a user: %d syncs before, %d after", before, after)
	}
	if err := dynamicClient(t, userConfig(t, opts)).Resource(namespaces).Delete(t.Context(), "plain", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if after := syncs(); after != before+2 {
		t.Errorf("a patch and a deletion of a user: %d syncs before, %d after", before, after)
	}
}

// Clients trust the certificate for every name of the server.
func TestCertificateCoversAllNames(t *testing.T) {
	opts := controlplanetest.Options(t)
	server := controlplanetest.StartWith(t, opts)
	config := userConfig(t, opts)
	for _, name := range []string{"127.0.0.1", "::1", "localhost"} {
		named := rest.CopyConfig(config)
		named.TLSClientConfig.ServerName = name
		if _, err := kubeClient(t, named).Discovery().ServerVersion(); err != nil {
			t.Errorf("as %s (port %d): %v", name, server.Port(), err)
		}
	}
}

// Row E8: only this user can read the files of the control plane.
func TestFilesArePrivate(t *testing.T) {
	opts := controlplanetest.Options(t)
	must(t, dynamicClient(t, controlplanetest.StartWith(t, opts).RESTConfig()), apps(), newApp(nil))
	files := 0
	for _, dir := range []string{opts.DataDir, opts.TLSDir, opts.Kubeconfig} {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := entry.Info()
			if err != nil {
				return err
			}
			files++
			if info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s has mode %v", path, info.Mode())
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files < 8 {
		t.Errorf("found only %d files", files)
	}
}

// Row E5: a start with a damaged datastore fails and names the file and the next step.
func TestStartWithDamagedDatastoreFails(t *testing.T) {
	opts := controlplanetest.Options(t)
	if err := os.MkdirAll(opts.DataDir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(opts.DataDir, "state.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("this is no database\n", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	server, err := controlplane.Start(ctx, opts)
	if err == nil {
		stop(t, server)
		t.Fatal("Start succeeded")
	}
	for _, want := range []string{path, "rdd svc reset"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
	if data, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(data), "this is no database") {
		t.Error("Start changed the damaged file")
	}
}

func start(t testing.TB, opts controlplane.Options) *controlplane.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	server, err := controlplane.Start(ctx, opts)
	if err != nil {
		t.Fatal(err)
	}
	return server
}

func stop(t testing.TB, server *controlplane.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := server.Stop(ctx); err != nil {
		t.Fatal(err)
	}
}
