package controlplane

import (
	"log/slog"
	"net/http"
	"strings"

	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/endpoints/responsewriter"
)

// ownGroups ends the names of the API groups of rdd.
const ownGroups = ".rancherdesktop.io"

// withChangesLogged logs each change of a resource of rdd by a client, and the client's
// name for itself. What the daemon does for it on the engine has lines of its own. A
// rejected change is logged at level debug.
func withChangesLogged(handler http.Handler, logger *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info, found := request.RequestInfoFrom(r.Context())
		if !found || !isChange(info) {
			handler.ServeHTTP(w, r)
			return
		}
		recorder := &statusRecorder{ResponseWriter: w, code: http.StatusOK}
		handler.ServeHTTP(responsewriter.WrapForHTTP1Or2(recorder), r)
		level, isDryRun := slog.LevelInfo, r.URL.Query().Get("dryRun") != ""
		if recorder.code >= http.StatusBadRequest || isDryRun {
			level = slog.LevelDebug
		}
		client, _, _ := strings.Cut(r.UserAgent(), " ")
		logger.Log(r.Context(), level, "a client changed a resource", "verb", info.Verb, "resource", info.Resource,
			"name", info.Name, "client", client, "code", recorder.code)
	})
}

// isChange reports whether a request changes a resource of rdd. The other subresources
// are streams.
func isChange(info *request.RequestInfo) bool {
	if !info.IsResourceRequest || !strings.HasSuffix(info.APIGroup, ownGroups) || info.Subresource != "" && info.Subresource != "status" {
		return false
	}
	switch info.Verb {
	case "create", "update", "patch", "delete", "deletecollection":
		return true
	}
	return false
}

// statusRecorder keeps the status code of a response.
type statusRecorder struct {
	http.ResponseWriter

	code int
}

// WriteHeader implements [http.ResponseWriter].
func (s *statusRecorder) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

// Unwrap returns the writer below.
func (s *statusRecorder) Unwrap() http.ResponseWriter { return s.ResponseWriter }
