package controlplane_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	containersv1alpha1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

const containersGroupPath = "/apis/containers.rancherdesktop.io/v1alpha1/"

// pageList returns a list as the page gets it.
func (p tablePlane) pageList(t *testing.T, accept, path string) *unstructured.UnstructuredList {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, containersGroupPath+path, nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	p.server.UserHandler().ServeHTTP(w, r)
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%s: %d %s: %s", path, w.Code, w.Header(), w.Body)
	}
	return decodeList(t, w.Body.Bytes())
}

func decodeList(t *testing.T, data []byte) *unstructured.UnstructuredList {
	t.Helper()
	var raw struct {
		Items []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(data, &raw); err != nil || raw.Items == nil {
		t.Fatalf("a list without items: %v: %s", err, data)
	}
	list := &unstructured.UnstructuredList{}
	if err := json.Unmarshal(data, list); err != nil {
		t.Fatal(err)
	}
	if list.GetContinue() == "" {
		unstructured.RemoveNestedField(list.Object, "metadata", "continue") // empty or missing
	}
	for _, item := range list.Items {
		if status, _, _ := unstructured.NestedMap(item.Object, "status"); len(status) == 0 {
			delete(item.Object, "status") // empty or missing
		}
	}
	return list
}

// The lists of the page are those of every client, without managed fields.
func TestPageListsAreThoseOfClients(t *testing.T) {
	p := newTablePlane(t)
	must(t, dynamicClient(t, p.server.RESTConfig()), containersv1alpha1.KindPruneRequest.GroupVersionResource(), &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": containersv1alpha1.GroupVersion.String(), "kind": "PruneRequest",
		"metadata": map[string]any{"namespace": "n", "name": "p"}, "spec": map[string]any{"dryRun": true},
	}})
	for _, path := range []string{
		"namespaces/n/containers", "namespaces/n/images", "namespaces/n/volumes", "namespaces/n/networks", "containers",
		"namespaces/n/prunerequests", "namespaces/n/imagepullrequests",
		"namespaces/n/containers?limit=1", "namespaces/n/containers?labelSelector=name%3Ddb", "namespaces/n/containers?fieldSelector=status.name%3Dweb",
	} {
		data, err := p.user.Get().RequestURI(containersGroupPath+path).SetHeader("Accept", "application/json").Do(t.Context()).Raw()
		if err != nil {
			t.Fatal(err)
		}
		want := decodeList(t, data)
		for i := range want.Items {
			if want.Items[i].GetManagedFields() == nil {
				t.Fatalf("%s: a client sees no managed fields", path)
			}
			want.Items[i].SetManagedFields(nil)
		}
		for _, accept := range []string{"application/json", "*/*"} {
			if difference := cmp.Diff(want, p.pageList(t, accept, path)); difference != "" {
				t.Errorf("%s: %s", path, difference)
			}
		}
	}
}

// The rest of a list begins where its first part has ended.
func TestPageListsHaveParts(t *testing.T) {
	p := newTablePlane(t)
	first := p.pageList(t, "application/json", "namespaces/n/containers?limit=1")
	rest := p.pageList(t, "application/json", "namespaces/n/containers?limit=1&continue="+first.GetContinue())
	if len(first.Items) != 1 || len(rest.Items) != 1 || rest.GetContinue() != "" || first.Items[0].GetName() == rest.Items[0].GetName() {
		t.Errorf("%d and %d items", len(first.Items), len(rest.Items))
	}
}
