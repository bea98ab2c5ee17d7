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

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

// apiParts are what the daemon can tell. None of them is a Secret, whose values
// no pattern would know.
func (s Subject) apiParts() []part {
	const crds = "/apis/containers.rancherdesktop.io/v1alpha1/"
	return answers(map[string]string{
		"daemon/goroutines.txt":              "/debug/pprof/goroutine?debug=2",
		"daemon/goroutine-counts.txt":        "/debug/pprof/goroutine?debug=1",
		"daemon/heap.txt":                    "/debug/pprof/heap?debug=1",
		"daemon/ready.txt":                   "/readyz?verbose",
		"daemon/rdd-ready.txt":               "/rdd/ready",
		"daemon/version.json":                "/version",
		"daemon/metrics.txt":                 "/metrics",
		"daemon/tree.json":                   "/rdd/tree",
		"resources/app.json":                 "/apis/app.rancherdesktop.io/v1alpha1/apps",
		"resources/containers.json":          crds + "containers",
		"resources/images.json":              crds + "images",
		"resources/volumes.json":             crds + "volumes",
		"resources/containernamespaces.json": crds + "containernamespaces",
		"resources/namespaces.json":          "/api/v1/namespaces",
		"resources/definitions.json":         "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
		"resources/policies.json":            "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
	}, s.ask)
}

// answers are parts, in the order of their names, of which each is one answer.
func answers(paths map[string]string, ask func(ctx context.Context, path string) ([]byte, error)) []part {
	var parts []part
	for _, name := range slices.Sorted(maps.Keys(paths)) {
		parts = append(parts, part{name, func(ctx context.Context) ([]byte, error) { return ask(ctx, paths[name]) }})
	}
	return parts
}

// ask asks the API server, for which it need not be ready.
func (s Subject) ask(ctx context.Context, path string) ([]byte, error) {
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

// get returns the answer to a GET, indented if it is JSON. An answer that tells
// of an error is returned beside the error.
func get(ctx context.Context, httpClient *http.Client, url string) (text []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	answer, err := httpClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	text, err = io.ReadAll(io.LimitReader(answer.Body, MaxFile))
	var indented bytes.Buffer
	if json.Indent(&indented, text, "", "  ") == nil {
		text = indented.Bytes()
	}
	if err == nil && answer.StatusCode != http.StatusOK {
		err = errors.New(answer.Status)
	}
	return text, err
}
