package tables

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/endpoints/handlers"
	"k8s.io/apiserver/pkg/endpoints/handlers/negotiation"
	"k8s.io/apiserver/pkg/endpoints/metrics"
	"k8s.io/apiserver/pkg/endpoints/request"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/datastore"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/registry"
)

// watchTimeout is the minimum time after which a watch without a timeout of its own ends,
// as in every API server.
const watchTimeout = 30 * time.Minute

// Tables answers requests for tables. It is safe for concurrent use.
type Tables struct {
	// served reports whether the definition of a resource exists.
	served    func(resource string) bool
	resources map[string]resource
}

// resource is a resource with its tables.
type resource struct {
	view  registry.View
	scope *handlers.RequestScope
}

// New returns the tables of the resources in a datastore. served reports whether a
// resource, such as containers, has a definition; without one the requests for it are
// passed on.
func New(store *datastore.Store, served func(resource string) bool, now func() time.Time) (*Tables, error) {
	scheme := runtime.NewScheme()
	if err := containersv1.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("register the types of tables: %w", err)
	}
	b := builder{scheme, store}
	t := &Tables{served: served, resources: map[string]resource{}}
	containers, err := b.mirrors(containersv1.KindContainer)
	if err != nil {
		return nil, err
	}
	for _, of := range mirrorTables() {
		view, err := b.mirrors(of.kind)
		if err != nil {
			return nil, err
		}
		c := &convertor{table: of.table, now: now}
		if of.used != nil {
			c.usages = &usages{containers: containers, used: of.used, now: now}
		}
		t.add(view, newScope(of.kind.GroupVersionResource(), of.kind.GroupVersionKind(), containersv1.NewMirror(of.kind), scheme, c))
	}
	for _, kind := range containersv1.RequestKinds() {
		view, err := b.requests(kind)
		if err != nil {
			return nil, err
		}
		c := &convertor{table: requestTable(), now: now}
		t.add(view, newScope(kind.GroupVersionResource(), kind.GroupVersionKind(), containersv1.NewRequest(kind), scheme, c))
	}
	return t, nil
}

func (t *Tables) add(view registry.View, scope *handlers.RequestScope) {
	t.resources[scope.Resource.Resource] = resource{view, scope}
}

// builder opens views.
type builder struct {
	scheme *runtime.Scheme
	store  *datastore.Store
}

func (b builder) mirrors(kind containersv1.Kind) (registry.View, error) {
	return registry.NewView(kind.GroupVersionResource().GroupResource(), func() runtime.Object { return containersv1.NewMirror(kind) },
		func() runtime.Object { return containersv1.NewMirrorList(kind) }, b.scheme, b.store)
}

func (b builder) requests(kind containersv1.RequestKind) (registry.View, error) {
	return registry.NewView(kind.GroupVersionResource().GroupResource(), func() runtime.Object { return containersv1.NewRequest(kind) },
		func() runtime.Object { return containersv1.NewRequestList(kind) }, b.scheme, b.store)
}

// Handler returns a handler that answers requests for tables, and passes other requests to
// next.
func (t *Tables) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info, found := request.RequestInfoFrom(r.Context())
		if !found || !isRead(info) || !strings.Contains(r.Header.Get("Accept"), "as=Table") {
			next.ServeHTTP(w, r)
			return
		}
		of, found := t.resources[info.Resource]
		if !found || !wantsTable(r, of.scope) || !t.served(info.Resource) {
			next.ServeHTTP(w, r)
			return
		}
		of.serve(w, r, info)
	})
}

// isRead reports whether a request reads resources of rdd's group. A resource of this
// group is in a namespace; only lists and watches can be of all namespaces.
func isRead(info *request.RequestInfo) bool {
	if !info.IsResourceRequest || info.Subresource != "" ||
		info.APIGroup != containersv1.GroupVersion.Group || info.APIVersion != containersv1.GroupVersion.Version {
		return false
	}
	return info.Verb == "list" || info.Verb == "watch" || info.Verb == "get" && info.Namespace != ""
}

// wantsTable reports whether a table is the best answer that the client accepts.
func wantsTable(r *http.Request, scope *handlers.RequestScope) bool {
	mediaType, _, err := negotiation.NegotiateOutputMediaType(r, scope.Serializer, scope)
	return err == nil && mediaType.Convert != nil && mediaType.Convert.Kind == "Table"
}

// serve answers a read, and counts it in the metrics of the API server.
func (r resource) serve(w http.ResponseWriter, from *http.Request, info *request.RequestInfo) {
	serve := handlers.GetResource(r.view, r.scope)
	if info.Verb != "get" {
		serve = handlers.ListResource(r.view, r.view, r.scope, info.Verb == "watch", watchTimeout)
	}
	serve = metrics.InstrumentHandlerFunc(strings.ToUpper(info.Verb), info.APIGroup, info.APIVersion, info.Resource, "",
		metrics.CleanScope(info), metrics.APIServerComponent, false, "", serve)
	serve(w, from)
}
