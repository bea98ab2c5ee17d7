package kube

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// newMapper returns a mapper of the few kinds that the daemon uses, which saves the
// requests of discovery at each start.
func newMapper() meta.RESTMapper {
	m := meta.NewDefaultRESTMapper([]schema.GroupVersion{
		corev1.SchemeGroupVersion, appv1.GroupVersion, containersv1.GroupVersion,
	})
	m.Add(corev1.SchemeGroupVersion.WithKind("Namespace"), meta.RESTScopeRoot)
	m.Add(appv1.GroupVersion.WithKind("App"), meta.RESTScopeRoot)
	for _, kind := range containersv1.Kinds() {
		m.Add(containersv1.GroupVersion.WithKind(string(kind)), meta.RESTScopeNamespace)
	}
	for _, kind := range containersv1.RequestKinds() {
		m.Add(kind.GroupVersionKind(), meta.RESTScopeNamespace)
	}
	return m
}
