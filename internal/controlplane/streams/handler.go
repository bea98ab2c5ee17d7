package streams

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/endpoints/handlers/responsewriters"
	"k8s.io/apiserver/pkg/endpoints/metrics"
	"k8s.io/apiserver/pkg/endpoints/request"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// The subresources.
const (
	logs   = "log"
	exec   = "exec"
	attach = "attach"
	stats  = "stats"
)

// containers is the resource that has the subresources.
const containers = "containers"

// engineTimeout bounds the wait for the connected engine, which may have to be started.
const engineTimeout = 6 * time.Minute

// Source is where the containers come from.
type Source struct {
	// Engine returns the connected engine, or an error for users.
	Engine func(ctx context.Context) (engine.Connection, error)
	// Mirror returns an error unless the Container exists.
	Mirror func(ctx context.Context, namespace, name string) error
}

// IsStream reports whether a request is for one of the subresources.
func IsStream(info *request.RequestInfo) bool {
	return info.IsResourceRequest && info.APIGroup == containersv1.GroupVersion.Group &&
		info.APIVersion == containersv1.GroupVersion.Version && info.Resource == containers &&
		info.Namespace != "" && info.Name != "" &&
		slices.Contains([]string{logs, exec, attach, stats}, info.Subresource)
}

// Handler returns a handler that serves the subresources, and passes other requests to
// next.
func Handler(source Source, codecs runtime.NegotiatedSerializer, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info, found := request.RequestInfoFrom(r.Context())
		if !found || !IsStream(info) {
			next.ServeHTTP(w, r)
			return
		}
		s := &server{Source: source, codecs: codecs, info: info}
		metrics.RecordLongRunning(r, info, metrics.APIServerComponent, func() {
			if err := s.serve(w, r); err != nil {
				s.refuse(w, r, err)
			}
		})
	})
}

// server serves one request.
type server struct {
	Source
	codecs runtime.NegotiatedSerializer
	info   *request.RequestInfo
}

// serve returns an error for a request that was not answered.
func (s *server) serve(w http.ResponseWriter, r *http.Request) error {
	isRemote := s.info.Subresource == exec || s.info.Subresource == attach
	if r.Method != http.MethodGet && (!isRemote || r.Method != http.MethodPost) {
		return notAllowed(r.Method, s.info.Subresource)
	}
	if isRemote {
		return s.serveRemote(w, r)
	}
	if s.info.Subresource == stats {
		return s.serveStats(w, r)
	}
	return s.serveLog(w, r)
}

// open returns the connected engine, once the container is known to exist.
func (s *server) open(ctx context.Context) (engine.Connection, error) {
	if err := s.Mirror(ctx, s.info.Namespace, s.info.Name); err != nil {
		return engine.Connection{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, engineTimeout)
	defer cancel()
	e, err := s.Engine(ctx)
	if err != nil {
		return engine.Connection{}, unavailable(err)
	}
	return e, nil
}

func (s *server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	responsewriters.ErrorNegotiated(statusOf(s.doing(), err), s.codecs, containersv1.GroupVersion, w, r)
}

// doing says what failed, for errors.
func (s *server) doing() string {
	return fmt.Sprintf("%s of container %s", s.info.Subresource, s.info.Name)
}
