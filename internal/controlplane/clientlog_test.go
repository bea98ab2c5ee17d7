package controlplane

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"k8s.io/apiserver/pkg/endpoints/request"
)

func TestChangesOfClientsAreLogged(t *testing.T) {
	const group = "containers.rancherdesktop.io"
	for _, test := range []struct {
		verb, group, subresource, query string
		code                            int
		want                            string
	}{
		{"delete", group, "", "", 200, `level=INFO msg="a client changed a resource" verb=delete resource=containers name=c1 client=kubectl/v1.32 code=200`},
		{"patch", "app.rancherdesktop.io", "status", "", 200, "verb=patch"},
		{"create", group, "", "", 201, "code=201"},
		{"delete", group, "", "", 409, "level=DEBUG"},
		{"patch", group, "", "?dryRun=All", 200, "level=DEBUG"},
		{"get", group, "", "", 200, ""},
		{"create", group, "exec", "", 200, ""},
		{"delete", "", "", "", 200, ""},
	} {
		var log strings.Builder
		handler := withChangesLogged(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(test.code)
		}), slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
		r := httptest.NewRequest(http.MethodGet, "/x"+test.query, nil)
		r.Header.Set("User-Agent", "kubectl/v1.32 (linux/amd64)")
		r = r.WithContext(request.WithRequestInfo(r.Context(), &request.RequestInfo{
			IsResourceRequest: true, Verb: test.verb, APIGroup: test.group, Resource: "containers", Name: "c1", Subresource: test.subresource,
		}))
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if got := log.String(); !strings.Contains(got, test.want) || (test.want == "") != (got == "") || w.Code != test.code {
			t.Errorf("%+v: %d, %q", test, w.Code, got)
		}
	}
}
