package controlplane_test

import (
	"maps"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	appv1alpha1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1alpha1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/controlplanetest"
)

var (
	namespaces = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	policies   = schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingadmissionpolicies"}
	bindings   = schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingadmissionpolicybindings"}
	crds       = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
)

func apps() schema.GroupVersionResource { return appv1alpha1.GroupVersion.WithResource("apps") }

func mirrors(resource string) schema.GroupVersionResource {
	return containersv1alpha1.GroupVersion.WithResource(resource)
}

// userConfig returns the client configuration of the kubeconfig: TLS and a token.
func userConfig(t testing.TB, opts controlplane.Options) *rest.Config {
	t.Helper()
	return controlplanetest.UserConfig(t, opts.Kubeconfig)
}

func dynamicClient(t testing.TB, config *rest.Config) dynamic.Interface {
	t.Helper()
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func kubeClient(t testing.TB, config *rest.Config) kubernetes.Interface {
	t.Helper()
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func object(version schema.GroupVersion, kind, namespace, name string, fields map[string]any) *unstructured.Unstructured {
	result := &unstructured.Unstructured{Object: map[string]any{}}
	maps.Copy(result.Object, fields)
	result.SetGroupVersionKind(version.WithKind(kind))
	result.SetNamespace(namespace)
	result.SetName(name)
	return result
}

func newApp(spec map[string]any) *unstructured.Unstructured {
	return object(appv1alpha1.GroupVersion, "App", "", appv1alpha1.AppName, map[string]any{"spec": spec})
}

func newMirror(kind, namespace, name string) *unstructured.Unstructured {
	return object(containersv1alpha1.GroupVersion, kind, namespace, name, nil)
}

func newNamespace(name string) *unstructured.Unstructured {
	return object(schema.GroupVersion{Version: "v1"}, "Namespace", "", name, nil)
}

// must creates an object and fails the test on an error.
func must(t testing.TB, client dynamic.Interface, resource schema.GroupVersionResource, object *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	created, err := client.Resource(resource).Namespace(object.GetNamespace()).Create(t.Context(), object, metav1.CreateOptions{})
	if err != nil {
		t.Fatalf("create %s %s: %v", object.GetKind(), object.GetName(), err)
	}
	return created
}

// newCRD defines a namespaced resource with one version, v1, of any fields.
func newCRD(group, plural, kind string) *unstructured.Unstructured {
	anything := map[string]any{"openAPIV3Schema": map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}}
	return object(schema.GroupVersion{Group: "apiextensions.k8s.io", Version: "v1"}, "CustomResourceDefinition", "", plural+"."+group, map[string]any{
		"spec": map[string]any{
			"group":    group,
			"scope":    "Namespaced",
			"names":    map[string]any{"plural": plural, "singular": plural + "ingular", "kind": kind, "listKind": kind + "List"},
			"versions": []any{map[string]any{"name": "v1", "served": true, "storage": true, "schema": anything}},
		},
	})
}

// approved adds the annotation that the API server requires of definitions in a group
// of Kubernetes.
func approved(crd *unstructured.Unstructured) *unstructured.Unstructured {
	crd.SetAnnotations(map[string]string{"api-approved.kubernetes.io": "unapproved, of a test"})
	return crd
}

// converterService and converterURL are webhook clients with a Service and with a URL.
var (
	converterService = map[string]any{"service": map[string]any{"namespace": "default", "name": "converter", "path": "/convert"}}
	converterURL     = map[string]any{"url": "https://127.0.0.1:1/convert"}
)

func withConversion(crd *unstructured.Unstructured, client map[string]any) *unstructured.Unstructured {
	spec := crd.Object["spec"].(map[string]any)
	spec["conversion"] = map[string]any{"strategy": "Webhook", "webhook": map[string]any{
		"conversionReviewVersions": []any{"v1"}, "clientConfig": client,
	}}
	return crd
}
