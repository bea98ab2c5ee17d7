package supervisor

import (
	"context"
	"fmt"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/controlplanetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
)

// requests is a client of requests that knows no Go type of rdd.
type requests struct {
	*running
	client dynamic.Interface
}

func (r requests) of(kind containersv1.RequestKind) dynamic.ResourceInterface {
	return r.client.Resource(kind.GroupVersionResource()).Namespace(appv1.DefaultNamespace)
}

func (r requests) create(kind containersv1.RequestKind, name string, spec map[string]any) {
	r.t.Helper()
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": containersv1.GroupVersion.String(), "kind": string(kind), "metadata": map[string]any{"name": name}, "spec": spec,
	}}
	if _, err := r.of(kind).Create(context.Background(), object, metav1.CreateOptions{}); err != nil {
		r.t.Fatal(err)
	}
}

// ends waits until a condition of a request is True, and returns the request.
func (r requests) ends(kind containersv1.RequestKind, name, condition string) (found *unstructured.Unstructured) {
	r.t.Helper()
	r.eventually("request "+name+" to be "+condition, func() (err error) {
		if found, err = r.of(kind).Get(context.Background(), name, metav1.GetOptions{}); err != nil {
			return err
		}
		conditions, _, _ := unstructured.NestedSlice(found.Object, "status", "conditions")
		for _, c := range conditions {
			if c := c.(map[string]any); c["type"] == condition && c["status"] == "True" {
				return nil
			}
		}
		return fmt.Errorf("status: %+v", found.Object["status"])
	})
	return found
}

// Requests are carried out for a plain client, and expire; the tree shows their actors.
func TestRequestsAreCarriedOut(t *testing.T) {
	sim := dockersim.Start(t)
	sim.AddImage("app:1")
	inst := instancetest.At(t, "test")
	r := requests{running: start(t, inst)}
	var err error
	if r.client, err = dynamic.NewForConfig(controlplanetest.UserConfig(t, inst.Config)); err != nil {
		t.Fatal(err)
	}
	const container, volume, network = containersv1.KindContainerCreateRequest, containersv1.KindVolumeCreateRequest, containersv1.KindNetworkCreateRequest
	r.connect(sim)
	r.create(volume, "data", map[string]any{"name": "My_Data", "ttlSecondsAfterFinished": int64(2)})
	r.create(network, "back", map[string]any{"name": "back"})
	// A container whose network is missing fails at once, so the network comes first.
	r.ends(network, "back", "Complete")
	r.create(container, "web", map[string]any{"image": "app:1", "networks": []any{"back"}})
	r.create(container, "missing", map[string]any{"image": "missing:1", "pullPolicy": "Never"})
	web := r.ends(container, "web", "Complete")
	r.ends(container, "missing", "Failed")
	name, _, _ := unstructured.NestedString(web.Object, "status", "result", "name")
	if status := sim.ContainerStatus(name); status != "running" {
		t.Errorf("the container %q is %q, want running", name, status)
	}
	r.exact(sim)
	shown := map[string]bool{}
	for _, n := range r.picture.Nodes() {
		shown[n.Name] = true
	}
	if path := "root/requests/containercreaterequest/" + appv1.DefaultNamespace + "/web"; !shown[path] {
		t.Errorf("the tree shows %v, want %s", shown, path)
	}
	r.eventually("the request to expire", func() error {
		_, err := r.of(volume).Get(context.Background(), "data", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("it is still there: %w", err)
	})
	if _, err := sim.Volume("My_Data"); err != nil {
		t.Errorf("the volume went with its request: %v", err)
	}
}
