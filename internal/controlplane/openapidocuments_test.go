package controlplane_test

import (
	"fmt"
	"strings"
	"testing"

	appv1alpha1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1alpha1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/controlplanetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// The first requests, all at once, get documents with the built-in resources and all
// custom resources; later documents have new custom resources too.
func TestOpenAPIIsCompleteAtOnce(t *testing.T) {
	opts := controlplanetest.Options(t)
	server := start(t, opts)
	t.Cleanup(func() { stop(t, server) })
	client := kubeClient(t, userConfig(t, opts)).Discovery().RESTClient()
	hasPaths := func(document string, paths ...string) error {
		body, err := client.Get().AbsPath(document).SetHeader("Accept", "application/json").DoRaw(t.Context())
		if err != nil {
			return fmt.Errorf("get %s: %w", document, err)
		}
		for _, path := range paths {
			if !strings.Contains(string(body), `"`+path+`"`) {
				return fmt.Errorf("%s does not have %s", document, path)
			}
		}
		return nil
	}
	containers, app := containersv1alpha1.GroupVersion.String(), appv1alpha1.GroupVersion.String()
	var collections []string
	for _, kind := range containersv1alpha1.Kinds() {
		collections = append(collections, "/apis/"+containers+"/namespaces/{namespace}/"+kind.GroupVersionResource().Resource)
	}
	documents := map[string][]string{
		"/openapi/v2":                    append([]string{"/api/v1/namespaces/{name}", "/apis/" + app + "/apps"}, collections...),
		"/openapi/v3":                    {"api/v1", "apis/" + app, "apis/" + containers},
		"/openapi/v3/api/v1":             {"/api/v1/namespaces/{name}"},
		"/openapi/v3/apis/" + app:        {"/apis/" + app + "/apps"},
		"/openapi/v3/apis/" + containers: collections,
	}
	t.Run("first requests", func(t *testing.T) {
		for document, paths := range documents {
			for range 2 {
				t.Run(document, func(t *testing.T) {
					t.Parallel()
					if err := hasPaths(document, paths...); err != nil {
						t.Error(err)
					}
				})
			}
		}
	})
	must(t, dynamicClient(t, server.RESTConfig()), crds, newCRD("example.com", "widgets", "Widget"))
	for _, document := range []string{"/openapi/v2", "/openapi/v3/apis/example.com/v1"} {
		testkit.Eventually(t, deadline, document+" to have a new resource", func() error {
			return hasPaths(document, "/apis/example.com/v1/namespaces/{namespace}/widgets")
		})
	}
}
