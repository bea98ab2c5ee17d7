package home

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
)

// A delete of a mirror requests nothing of the engine while its namespace or its definition
// is being removed.
func TestIsLeavingFollowsMarks(t *testing.T) {
	emptied := map[string]any{"annotations": map[string]any{hubv1.EmptiedAnnotation: "true"}}
	deleted := map[string]any{"deletionTimestamp": "2026-01-02T03:04:05Z"}
	both := map[string]any{"annotations": emptied["annotations"], "deletionTimestamp": deleted["deletionTimestamp"]}
	for name, test := range map[string]struct {
		namespace, definition map[string]any // metadata; nil if it does not exist
		isLeaving             bool
		err                   string
	}{
		"nothing is removed": {map[string]any{}, map[string]any{}, false, ""},
		"no namespace":       {nil, map[string]any{}, true, ""},
		"namespace deleted":  {deleted, map[string]any{}, true, ""},
		"namespace marked":   {emptied, map[string]any{}, false, "the mirrors of machine m are being removed"},
		"no definition":      {map[string]any{}, nil, true, ""},
		"definition deleted": {map[string]any{}, both, true, ""},
		"definition marked":  {map[string]any{}, emptied, false, "the definition of containers has the annotation"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			metadata, kind, version := test.namespace, "Namespace", "v1"
			if strings.Contains(r.URL.Path, "customresourcedefinitions") {
				metadata, kind, version = test.definition, "PartialObjectMetadata", "meta.k8s.io/v1"
			}
			w.Header().Set("Content-Type", "application/json")
			if metadata == nil {
				w.WriteHeader(http.StatusNotFound)
				_, _ = w.Write([]byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`))
				return
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"kind": kind, "apiVersion": version, "metadata": metadata})
		}))
		direct, err := newDirect(&rest.Config{Host: server.URL}, server.Client())
		if err != nil {
			t.Fatal(err)
		}
		isReported := false
		h := &Home{
			namespace: "m", direct: direct, fence: &fence{until: time.Now().Add(time.Minute / 2)}, leaving: func() { isReported = true },
		}
		isLeaving, err := h.IsLeaving(t.Context(), containersv1.KindContainer)
		if isLeaving != test.isLeaving || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: %v, %v", name, isLeaving, err)
		}
		if isReported != test.isLeaving {
			t.Errorf("%s: reported %v", name, isReported)
		}
		server.Close()
	}
}
