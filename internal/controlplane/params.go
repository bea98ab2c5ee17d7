package controlplane

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/restmapper"

	appv1alpha1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
)

const (
	// discoveryAge is the maximum age of a discovered mapping, as in kube-apiserver.
	discoveryAge = 30 * time.Second
	// missingAge is the maximum age of a discovery that lacks the requested kind.
	missingAge = 3 * time.Second
)

// newParamMapper returns a mapper that knows the App, which rdd's own policies refer to,
// and discovers other kinds.
func newParamMapper(kube kubernetes.Interface) meta.RESTMapper {
	known := meta.NewDefaultRESTMapper([]schema.GroupVersion{appv1alpha1.GroupVersion})
	known.Add(appv1alpha1.GroupVersion.WithKind("App"), meta.RESTScopeRoot)
	discovered := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(kube.Discovery()))
	return meta.FirstHitRESTMapper{MultiRESTMapper: meta.MultiRESTMapper{known, &refreshingMapper{ResettableRESTMapper: discovered}}}
}

// refreshingMapper repeats an outdated discovery. A deferred mapper alone discovers
// once, so a kind that a user defines later could never be a parameter.
type refreshingMapper struct {
	meta.ResettableRESTMapper

	mutex sync.Mutex
	since time.Time
}

// RESTMapping implements [meta.RESTMapper].
func (m *refreshingMapper) RESTMapping(kind schema.GroupKind, versions ...string) (*meta.RESTMapping, error) {
	m.refresh(discoveryAge)
	mapping, err := m.ResettableRESTMapper.RESTMapping(kind, versions...)
	if meta.IsNoMatchError(err) && m.refresh(missingAge) {
		return m.ResettableRESTMapper.RESTMapping(kind, versions...)
	}
	return mapping, err
}

// refresh drops a discovery that is older than age, and reports whether it did.
func (m *refreshingMapper) refresh(age time.Duration) bool {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if time.Since(m.since) < age {
		return false
	}
	m.since = time.Now()
	m.Reset()
	return true
}
