package registry_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/controlplanetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/registry"
	hubhome "github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/home"
)

// deadline bounds every wait of the tests.
const deadline = 20 * time.Second

// home is a namespace that every plane has.
const home = "home"

// foreign is a finalizer of another controller.
const foreign = "example.com/held"

// plane is a control plane with all clients of it.
type plane struct {
	mirrors *registry.Mirrors
	// overHTTP writes mirrors as the daemon writes them to a hub.
	overHTTP *hubhome.Mirrors
	// daemon is the daemon's client over in-process HTTP; user is a client over TLS.
	daemon, user dynamic.Interface
	userConfig   *rest.Config
}

func start(t *testing.T) plane {
	t.Helper()
	opts := controlplanetest.Options(t)
	server := controlplanetest.StartWith(t, opts)
	p := plane{mirrors: server.Mirrors(), userConfig: controlplanetest.UserConfig(t, opts.Kubeconfig)}
	var err error
	if p.user, err = dynamic.NewForConfig(p.userConfig); err != nil {
		t.Fatal(err)
	}
	if p.daemon, err = dynamic.NewForConfig(server.RESTConfig()); err != nil {
		t.Fatal(err)
	}
	if p.overHTTP, err = hubhome.NewMirrors(server.RESTConfig(), nil); err != nil {
		t.Fatal(err)
	}
	p.addNamespace(t, home)
	return p
}

// namespaces returns the Kubernetes namespaces as the user sees them.
func (p plane) namespaces() dynamic.ResourceInterface {
	return p.user.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"})
}

func (p plane) addNamespace(t *testing.T, name string) {
	t.Helper()
	namespace := &unstructured.Unstructured{}
	namespace.SetAPIVersion("v1")
	namespace.SetKind("Namespace")
	namespace.SetName(name)
	if _, err := p.namespaces().Create(t.Context(), namespace, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// seen returns the mirrors of a kind as the user sees them.
func (p plane) seen(kind containersv1.Kind, namespace string) dynamic.ResourceInterface {
	return p.user.Resource(kind.GroupVersionResource()).Namespace(namespace)
}

// look returns obj as the user sees it.
func (p plane) look(t *testing.T, obj containersv1.Mirror) *unstructured.Unstructured {
	t.Helper()
	found, err := p.seen(obj.MirrorKind(), obj.GetNamespace()).Get(t.Context(), obj.GetName(), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// userPatches merges a patch into obj, as the user.
func (p plane) userPatches(t *testing.T, obj containersv1.Mirror, patch string) *unstructured.Unstructured {
	t.Helper()
	patched, err := p.seen(obj.MirrorKind(), obj.GetNamespace()).Patch(t.Context(), obj.GetName(), types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return patched
}

// daemonPatches merges a patch into obj, as the daemon, over HTTP.
func (p plane) daemonPatches(t *testing.T, obj containersv1.Mirror, patch string) {
	t.Helper()
	of := p.daemon.Resource(obj.MirrorKind().GroupVersionResource()).Namespace(obj.GetNamespace())
	_, err := of.Patch(t.Context(), obj.GetName(), types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: "earlier"})
	if err != nil {
		t.Fatal(err)
	}
}

// daemonDeletes deletes obj, as the daemon, over HTTP.
func (p plane) daemonDeletes(t *testing.T, obj containersv1.Mirror) {
	t.Helper()
	of := p.daemon.Resource(obj.MirrorKind().GroupVersionResource()).Namespace(obj.GetNamespace())
	if err := of.Delete(t.Context(), obj.GetName(), metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}

// userDeletes deletes obj, as the user.
func (p plane) userDeletes(t *testing.T, obj containersv1.Mirror) {
	t.Helper()
	if err := p.seen(obj.MirrorKind(), obj.GetNamespace()).Delete(t.Context(), obj.GetName(), metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}

// create creates a mirror, or fails the test.
func (p plane) create(t *testing.T, obj containersv1.Mirror) containersv1.Mirror {
	t.Helper()
	return must(p.mirrors.Create(t.Context(), obj))(t)
}

// read returns the stored mirror.
func (p plane) read(t *testing.T, obj containersv1.Mirror) containersv1.Mirror {
	t.Helper()
	return must(p.mirrors.Get(t.Context(), obj.MirrorKind(), obj.GetNamespace(), obj.GetName()))(t)
}

// must returns the mirror, or fails the test.
func must(obj containersv1.Mirror, err error) func(*testing.T) containersv1.Mirror {
	return func(t *testing.T) containersv1.Mirror {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return obj
	}
}

// moment returns a time long ago, so that printed ages do not change during a test.
func moment() metav1.MicroTime {
	return metav1.NewMicroTime(time.Date(2016, 2, 29, 23, 59, 59, 123456000, time.UTC))
}

// conditions returns a list that is merged by keys.
func conditions() []metav1.Condition {
	at := metav1.NewTime(moment().Truncate(time.Second))
	return []metav1.Condition{
		{Type: containersv1.ConditionRunning, Status: metav1.ConditionTrue, Reason: "Running", LastTransitionTime: at},
		{Type: containersv1.ConditionEngineDeleted, Status: metav1.ConditionFalse, Reason: containersv1.ReasonRefused, Message: "no <&> ✗", ObservedGeneration: 1, LastTransitionTime: at},
	}
}

// sample returns a new mirror with every field set, as the daemon creates it.
func sample(kind containersv1.Kind, namespace, name string) containersv1.Mirror {
	obj := containersv1.NewMirror(kind)
	obj.SetNamespace(namespace)
	obj.SetName(name)
	if kind.HasFinalizer() {
		obj.SetFinalizers([]string{containersv1.Finalizer})
	}
	at := moment()
	labels := map[string]string{"b": "", "": "a", "ключ": "\u0000\u2028"}
	switch m := obj.(type) {
	case *containersv1.Container:
		m.Spec.State = containersv1.StateUnknown
		m.Status = containersv1.ContainerStatus{
			ObservedGeneration: 1, Status: containersv1.ContainerExited, Name: "name of " + name, Namespace: "moby",
			Image: "busybox:1", Path: "/bin/sh", Args: []string{"-c", "echo <&>", ""}, Labels: labels, PID: 1 << 40, ExitCode: -1, Error: "oops",
			Ports: []containersv1.Port{
				{ContainerPort: 0, Protocol: "tcp"},
				{ContainerPort: 80, Protocol: "tcp", Bindings: []containersv1.PortBinding{{HostIP: "::", HostPort: 65535}, {}}},
			},
			CreatedAt: &at, StartedAt: &at, FinishedAt: &at, Conditions: conditions(),
		}
	case *containersv1.Image:
		m.Status = containersv1.ImageStatus{
			ID: "sha256:" + name, RepoTag: "Tag:" + name, RepoDigests: []string{"a@b", "a@c"}, Namespace: "moby",
			CreatedAt: &at, Architecture: "amd64", OS: "linux", Size: 1 << 53, Labels: labels, Conditions: conditions(),
		}
	case *containersv1.Volume:
		m.Status = containersv1.VolumeStatus{
			Name: "My_" + name, Namespace: "moby", Driver: "local", Mountpoint: "/var/lib/" + name, Labels: labels,
			Options: map[string]string{"o": "bind"}, Scope: "local", CreatedAt: &at, Conditions: conditions(),
		}
	case *containersv1.Network:
		m.Status = containersv1.NetworkStatus{
			Name: "My_" + name, ID: name, Namespace: "moby", Driver: "bridge", Scope: "local", Internal: true, Attachable: true, IPv6: true,
			IPAM: containersv1.NetworkIPAM{
				Driver: "default", Options: map[string]string{"": ""},
				Configs: []containersv1.NetworkIPAMConfig{{Subnet: "10.0.0.0/8", AuxiliaryAddresses: map[string]string{"a": "10.0.0.9"}}, {}},
			},
			Labels: labels, Options: map[string]string{"o": ""}, CreatedAt: &at, Containers: 2, Conditions: conditions(),
		}
	case *containersv1.ContainerNamespace:
		m.Status.Name = name
	}
	return obj
}

// changed returns obj with another status.
func changed(obj containersv1.Mirror) containersv1.Mirror {
	obj = obj.CopyMirror()
	switch m := obj.(type) {
	case *containersv1.Container:
		m.Status = containersv1.ContainerStatus{Status: containersv1.ContainerRunning, Name: m.Status.Name, Args: []string{}, PID: 0}
	case *containersv1.Image:
		m.Status = containersv1.ImageStatus{ID: "sha256:0", Labels: map[string]string{"only": "one"}}
	case *containersv1.Volume:
		m.Status = containersv1.VolumeStatus{Name: m.Status.Name, Conditions: conditions()[1:]}
	case *containersv1.Network:
		m.Status = containersv1.NetworkStatus{ID: "0", Options: map[string]string{}}
	case *containersv1.ContainerNamespace:
		m.Status.Name = "other"
	}
	return obj
}

// asUnstructured returns obj as a client sends it.
func asUnstructured(obj containersv1.Mirror) *unstructured.Unstructured {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		panic(fmt.Sprintf("convert %T: %v", obj, err))
	}
	result := &unstructured.Unstructured{Object: content}
	result.SetGroupVersionKind(obj.MirrorKind().GroupVersionKind())
	return result
}

// perKind runs a test for each kind.
func perKind(t *testing.T, test func(*testing.T, containersv1.Kind)) {
	for _, kind := range containersv1.Kinds() {
		t.Run(string(kind), func(t *testing.T) { test(t, kind) })
	}
}

// bounded returns a context for waits.
func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	t.Cleanup(cancel)
	return ctx
}
