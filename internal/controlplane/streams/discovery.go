package streams

import (
	"encoding/json"
	"net/http"
	"slices"

	apidiscoveryv2 "k8s.io/api/apidiscovery/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/endpoints/discovery"
	"k8s.io/apiserver/pkg/endpoints/discovery/aggregated"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// verbs of the subresources, as those of pods.
func verbs(subresource string) []string {
	if subresource == exec || subresource == attach {
		return []string{"create", "get"}
	}
	return []string{"get"}
}

func subresources() []string { return []string{attach, exec, logs, stats} }

// Aggregated returns a manager that adds the subresources to the aggregated discovery.
func Aggregated(manager aggregated.ResourceManager) aggregated.ResourceManager {
	return aggregatedDiscovery{manager}
}

type aggregatedDiscovery struct{ aggregated.ResourceManager }

// WithSource implements aggregated.ResourceManager.
func (d aggregatedDiscovery) WithSource(source aggregated.Source) aggregated.ResourceManager {
	return aggregatedDiscovery{d.ResourceManager.WithSource(source)}
}

// AddGroupVersion implements aggregated.ResourceManager.
func (d aggregatedDiscovery) AddGroupVersion(group string, version apidiscoveryv2.APIVersionDiscovery) {
	if group == containersv1.GroupVersion.Group && version.Version == containersv1.GroupVersion.Version {
		version = *version.DeepCopy() // the caller may keep its own
		for i := range version.Resources {
			if resource := &version.Resources[i]; resource.Resource == containers {
				addSubresources(resource)
			}
		}
	}
	d.ResourceManager.AddGroupVersion(group, version)
}

func addSubresources(resource *apidiscoveryv2.APIResourceDiscovery) {
	for _, name := range subresources() {
		resource.Subresources = append(resource.Subresources, apidiscoveryv2.APISubresourceDiscovery{
			Subresource: name, ResponseKind: resource.ResponseKind, Verbs: verbs(name),
		})
	}
}

// Discovery returns a handler that adds the subresources to the list of resources which
// older clients request. The server of custom resources makes the list.
func Discovery(codecs runtime.NegotiatedSerializer, next http.Handler) http.Handler {
	path := "/apis/" + containersv1.GroupVersion.String()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path || r.Method != http.MethodGet {
			next.ServeHTTP(w, r)
			return
		}
		plain := r.Clone(r.Context())
		plain.Header = http.Header{"Accept": {"application/json"}}
		answer := &recorder{header: http.Header{}}
		next.ServeHTTP(answer, plain)
		var list metav1.APIResourceList
		if err := json.Unmarshal(answer.body, &list); err != nil || list.GroupVersion == "" {
			next.ServeHTTP(w, r)
			return
		}
		resources := withSubresources(list.APIResources)
		discovery.NewAPIVersionHandler(codecs, containersv1.GroupVersion, discovery.APIResourceListerFunc(
			func() []metav1.APIResource { return resources })).ServeHTTP(w, r)
	})
}

// recorder keeps the body of an answer.
type recorder struct {
	header http.Header
	body   []byte
}

// Header implements http.ResponseWriter.
func (r *recorder) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(int) {}

// Write implements http.ResponseWriter.
func (r *recorder) Write(p []byte) (int, error) {
	r.body = append(r.body, p...)
	return len(p), nil
}

func withSubresources(resources []metav1.APIResource) []metav1.APIResource {
	at := slices.IndexFunc(resources, func(r metav1.APIResource) bool { return r.Name == containers })
	if at < 0 {
		return resources
	}
	var added []metav1.APIResource
	for _, name := range subresources() {
		added = append(added, metav1.APIResource{
			Name: containers + "/" + name, Namespaced: true, Kind: resources[at].Kind, Verbs: verbs(name),
		})
	}
	return slices.Insert(resources, at+1, added...)
}
