package bundle

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"

	"k8s.io/client-go/rest"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

// apiParts returns the parts that the daemon serves. Secrets are not among them,
// because no pattern recognizes their values.
func (s Subject) apiParts() []part {
	paths := map[string]string{
		"daemon/goroutines.txt":       "/debug/pprof/goroutine?debug=2",
		"daemon/goroutine-counts.txt": "/debug/pprof/goroutine?debug=1",
		"daemon/heap.txt":             "/debug/pprof/heap?debug=1",
		"daemon/ready.txt":            "/readyz?verbose",
		"daemon/rdd-ready.txt":        "/rdd/ready",
		"daemon/version.json":         "/version",
		"daemon/metrics.txt":          "/metrics",
		"daemon/tree.json":            "/rdd/tree",
		"resources/app.json":          "/apis/app.rancherdesktop.io/v1alpha1/apps",
		"resources/namespaces.json":   "/api/v1/namespaces",
		"resources/definitions.json":  "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
		"resources/policies.json":     "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
	}
	for _, kind := range containersv1.Kinds() {
		resource := kind.GroupVersionResource().Resource
		paths["resources/"+resource+".json"] = "/apis/" + containersv1.GroupVersion.String() + "/" + resource
	}
	return requestParts(paths, s.getFromAPI)
}

// requestParts returns a part for each path, sorted by name.
func requestParts(paths map[string]string, get func(ctx context.Context, path string) ([]byte, error)) []part {
	var parts []part
	for _, name := range slices.Sorted(maps.Keys(paths)) {
		parts = append(parts, part{name, func(ctx context.Context) ([]byte, error) { return get(ctx, paths[name]) }})
	}
	return parts
}

// getFromAPI sends a GET to the API server, even if that is not ready.
func (s Subject) getFromAPI(ctx context.Context, path string) ([]byte, error) {
	if _, running, err := instance.Running(s.Instance.PidFile); err != nil || !running {
		return nil, errors.Join(err, errors.New("no daemon runs"))
	}
	config, err := client.Config(s.Instance)
	if err != nil {
		return nil, err
	}
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("make a client for %s: %w", config.Host, err)
	}
	defer httpClient.CloseIdleConnections()
	return get(ctx, httpClient, config.Host+path)
}

// get sends a GET and returns the body of the response, JSON indented. It returns
// the body of an error response too, beside the error.
func get(ctx context.Context, httpClient *http.Client, url string) (text []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := httpClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	text, err = io.ReadAll(io.LimitReader(response.Body, MaxFile))
	var indented bytes.Buffer
	if json.Indent(&indented, text, "", "  ") == nil {
		text = indented.Bytes()
	}
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.New(response.Status)
	}
	return text, err
}
