package controlplane_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	appv1alpha1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/controlplanetest"
)

func TestFirstCreateIsQuick(t *testing.T) {
	begin := time.Now()
	server := controlplanetest.Start(t)
	t.Logf("first start: %v", time.Since(begin))

	client, err := dynamic.NewForConfig(server.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	begin = time.Now()
	app := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "app.rancherdesktop.io/v1alpha1",
		"kind":       "App",
		"metadata":   map[string]any{"name": "app"},
	}}
	_, err = client.Resource(appv1alpha1.GroupVersion.WithResource("apps")).Create(t.Context(), app, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took > 500*time.Millisecond {
		t.Errorf("the first create took %v", took)
	} else {
		t.Logf("first create: %v", took)
	}
}
