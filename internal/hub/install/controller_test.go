package install_test

import (
	"os"
	"regexp"
	"slices"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/install"
)

// warnings keeps the warnings of an API server.
type warnings struct {
	mu   sync.Mutex
	text []string
}

// HandleWarningHeader implements rest.WarningHandler.
func (w *warnings) HandleWarningHeader(_ int, _, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, text)
}

// The Deployment in the documentation is accepted, also where pods are restricted, and runs
// with the rights of the controller.
func TestDocumentedDeploymentIsAccepted(t *testing.T) {
	text, err := os.ReadFile("../../../docs/hub.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```yaml\n(apiVersion: apps/v1\n.*?)```").FindSubmatch(text)
	if block == nil {
		t.Fatal("docs/hub.md has no Deployment")
	}
	deployment := &unstructured.Unstructured{}
	if err := yaml.UnmarshalStrict(block[1], &deployment.Object); err != nil {
		t.Fatal(err)
	}
	account, _, _ := unstructured.NestedString(deployment.Object, "spec", "template", "spec", "serviceAccountName")
	if deployment.GetNamespace() != install.ControllerNamespace || account != install.ControllerName {
		t.Errorf("the Deployment is in the namespace %s and has the ServiceAccount %s", deployment.GetNamespace(), account)
	}
	config := shared.Hub(t).AdminConfig()
	received := &warnings{}
	config.WarningHandler = received
	c, err := install.Connect(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	apply(t, c)
	namespace := &corev1.Namespace{}
	namespace.Name = install.ControllerNamespace
	restrict := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"labels":{"pod-security.kubernetes.io/warn":"restricted"}}}`))
	if err := c.Patch(t.Context(), namespace, restrict); err != nil {
		t.Fatal(err)
	}
	tryOut := func() []string {
		err := c.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(deployment.DeepCopy()), client.FieldOwner("test"), client.DryRunAll)
		if err != nil {
			t.Fatal(err)
		}
		received.mu.Lock()
		defer received.mu.Unlock()
		return slices.Clone(received.text)
	}
	if warned := tryOut(); len(warned) > 0 {
		t.Errorf("the API server warns: %q", warned)
	}
	// The check works: an unrestricted pod is warned about.
	unstructured.RemoveNestedField(deployment.Object, "spec", "template", "spec", "securityContext")
	if warned := tryOut(); len(warned) == 0 {
		t.Error("the API server does not warn of pods without a security context")
	}
}
