package streams

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"k8s.io/kube-openapi/pkg/handler3"
	"k8s.io/kube-openapi/pkg/spec3"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

func newDocument(description string) *spec3.OpenAPI {
	return &spec3.OpenAPI{
		Version: "3.0.0", Info: &spec.Info{InfoProps: spec.InfoProps{Title: "test", Version: "1", Description: description}},
		Paths: &spec3.Paths{Paths: map[string]*spec3.Path{"/own": {PathProps: spec3.PathProps{Summary: description}}}},
	}
}

// serveOpenAPI returns a handler with the documents of a service.
func serveOpenAPI(service *handler3.OpenAPIService) http.Handler {
	return OpenAPIV3(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == openAPIPath:
			service.HandleDiscovery(w, r)
		case strings.HasPrefix(r.URL.Path, openAPIPath+"/"):
			service.HandleGroupVersion(w, r)
		default:
			w.WriteHeader(http.StatusTeapot)
		}
	}))
}

func fetch(t *testing.T, h http.Handler, target, accept string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// fetchIndex returns where the documents are.
func fetchIndex(t *testing.T, h http.Handler) map[string]handler3.OpenAPIV3DiscoveryGroupVersion {
	t.Helper()
	var index handler3.OpenAPIV3Discovery
	answer := fetch(t, h, openAPIPath, "application/json")
	if err := json.Unmarshal(answer.Body.Bytes(), &index); err != nil || answer.Header().Get("Etag") == "" {
		t.Fatalf("the index is %q with the tag %q: %v", answer.Body, answer.Header().Get("Etag"), err)
	}
	return index.Paths
}

func fetchDocument(t *testing.T, h http.Handler, target string) *spec3.OpenAPI {
	t.Helper()
	var document spec3.OpenAPI
	answer := fetch(t, h, target, "application/json")
	if err := json.Unmarshal(answer.Body.Bytes(), &document); err != nil {
		t.Fatalf("%s: %d %q: %v", target, answer.Code, answer.Body, err)
	}
	return &document
}

func TestOpenAPIHasSubresources(t *testing.T) {
	service := handler3.NewOpenAPIService()
	service.UpdateGroupVersion(groupPath(), newDocument("first"))
	service.UpdateGroupVersion("apis/other/v1", newDocument("other"))
	h := serveOpenAPI(service)
	first := fetchIndex(t, h)
	document := fetchDocument(t, h, first[groupPath()].ServerRelativeURL)
	if document.Paths.Paths["/own"] == nil {
		t.Error("the path of the original document is missing")
	}
	for _, name := range subresources() {
		path := document.Paths.Paths["/"+groupPath()+"/namespaces/{namespace}/containers/{name}/"+name]
		if path == nil || path.Get == nil {
			t.Errorf("%s has no entry", name)
			continue
		}
		var names []string
		for _, p := range path.Parameters {
			names = append(names, p.Name)
		}
		if want := append([]string{"name", "namespace"}, parameterNames(name)...); !slices.Equal(names, want) {
			t.Errorf("%s has the parameters %q, want %q", name, names, want)
		}
		if isRemote := name == exec || name == attach; (path.Post != nil) != isRemote {
			t.Errorf("%s has the method POST: %t", name, path.Post != nil)
		}
	}
	if other := fetchDocument(t, h, first["apis/other/v1"].ServerRelativeURL); len(other.Paths.Paths) != 1 {
		t.Errorf("another group has the paths %v", other.Paths.Paths)
	}
	if code := fetch(t, h, "/elsewhere", "").Code; code != http.StatusTeapot {
		t.Errorf("another path is answered with %d", code)
	}
}

// The tag in the index is that of the extended document, so that clients may keep it.
func TestOpenAPIIndexNamesDocument(t *testing.T) {
	service := handler3.NewOpenAPIService()
	service.UpdateGroupVersion(groupPath(), newDocument("first"))
	h := serveOpenAPI(service)
	target := fetchIndex(t, h)[groupPath()].ServerRelativeURL
	for _, accept := range []string{"application/json", "application/com.github.proto-openapi.spec.v3.v1.0+protobuf"} {
		answer := fetch(t, h, target, accept)
		if answer.Code != http.StatusOK || !strings.Contains(answer.Header().Get("Cache-Control"), "immutable") || answer.Body.Len() == 0 {
			t.Errorf("%s as %s is answered with %d %v", target, accept, answer.Code, answer.Header())
		}
	}
	service.UpdateGroupVersion(groupPath(), newDocument("second"))
	now := fetchIndex(t, h)[groupPath()].ServerRelativeURL
	if now == target {
		t.Errorf("the index still names %s after a change", target)
	}
	if document := fetchDocument(t, h, now); document.Info.Description != "second" || len(document.Paths.Paths) != 1+len(subresources()) {
		t.Errorf("the document after a change is %+v", document)
	}
	if answer := fetch(t, h, target, "application/json"); answer.Code != http.StatusMovedPermanently {
		t.Errorf("the former document is answered with %d", answer.Code)
	}
}

// Before the definitions are published, there is no document.
func TestOpenAPIBeforeDefinitions(t *testing.T) {
	service := handler3.NewOpenAPIService()
	service.UpdateGroupVersion("apis/other/v1", newDocument("other"))
	h := serveOpenAPI(service)
	if index := fetchIndex(t, h); len(index) != 1 {
		t.Errorf("the index is %v", index)
	}
	if answer := fetch(t, h, openAPIPath+"/"+groupPath(), "application/json"); answer.Body.Len() > 0 {
		t.Errorf("the document is %q", answer.Body)
	}
}

func TestOpenAPIV2HasSubresources(t *testing.T) {
	AddToOpenAPIV2(nil)
	document := &spec.Swagger{}
	AddToOpenAPIV2(document)
	if len(document.Paths.Paths) != len(subresources()) {
		t.Errorf("the paths are %v", document.Paths.Paths)
	}
	ids := map[string]bool{}
	for path, item := range document.Paths.Paths {
		for _, o := range []*spec.Operation{item.Get, item.Post} {
			if o == nil {
				continue
			}
			if ids[o.ID] || o.Description == "" {
				t.Errorf("the operation %s of %s is there twice, or has no description", o.ID, path)
			}
			ids[o.ID] = true
		}
	}
}
