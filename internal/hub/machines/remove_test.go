package machines_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/install"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/machines"
)

// fill creates 20 mirrors as the machine, and one request.
func fill(t *testing.T, h hub, added *machines.Added) dynamic.Interface {
	t.Helper()
	c := dynamicClient(t, h.joined(t, added))
	for i := range 4 {
		for _, kind := range containersv1.Kinds() {
			mirror := newMirror(kind, added.Name, fmt.Sprintf("mirror-%d", i))
			eventually(t, func() error {
				_, err := c.Resource(kind.GroupVersionResource()).Namespace(added.Name).Create(t.Context(), mirror, metav1.CreateOptions{})
				return err
			})
		}
	}
	admin := dynamicClient(t, h.AdminConfig())
	if _, err := admin.Resource(mirrors("volumecreaterequests")).Namespace(added.Name).Create(t.Context(), newRequest(added.Name, "req"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	return c
}

// engine follows the mirrors of a machine by watches that began before the removal, as a
// daemon does, and counts the objects that a daemon would remove from its engine.
type engine struct {
	c         dynamic.Interface
	namespace string
	wg        sync.WaitGroup

	mu      sync.Mutex
	removed []string
	seen    int
}

func (e *engine) watch(ctx context.Context, t *testing.T) {
	t.Helper()
	for _, kind := range containersv1.Kinds() {
		if !kind.HasFinalizer() {
			continue
		}
		w, err := e.c.Resource(kind.GroupVersionResource()).Namespace(e.namespace).Watch(ctx, metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		e.wg.Go(func() {
			defer w.Stop()
			for event := range w.ResultChan() {
				if m, ok := event.Object.(*unstructured.Unstructured); ok {
					e.observe(ctx, m)
				}
			}
		})
	}
}

// observe does what the mirror actor does with a mirror that is being deleted.
func (e *engine) observe(ctx context.Context, m *unstructured.Unstructured) {
	isRequested := m.GetDeletionTimestamp() != nil && len(m.GetFinalizers()) > 0
	if isRequested {
		namespace, err := e.c.Resource(namespaces).Get(ctx, e.namespace, metav1.GetOptions{})
		isRequested = err == nil && namespace.GetDeletionTimestamp() == nil && namespace.GetAnnotations()[hubv1.EmptiedAnnotation] == ""
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seen++
	if isRequested {
		e.removed = append(e.removed, m.GetKind()+"/"+m.GetName())
	}
}

// The removal deletes the namespace with its mirrors, and no daemon takes a deletion for a
// request to remove an object.
func TestRemoveRequestsNoRemoval(t *testing.T) {
	h := open(t)
	added := h.add(t, "removed", "")
	watching, stop := context.WithCancel(t.Context())
	e := &engine{c: fill(t, h, added), namespace: added.Name}
	e.watch(watching, t)
	began := time.Now()
	if err := machines.Remove(t.Context(), h.admin, added.Name, func(string) {}); err != nil {
		t.Fatal(err)
	}
	t.Logf("the removal took %v", time.Since(began).Round(time.Millisecond))
	checkGone(t, h, added.Name)
	// The API server keeps a valid token for a few seconds.
	eventually(t, func() error {
		_, err := e.c.Resource(mirrors("containers")).Namespace(added.Name).List(t.Context(), metav1.ListOptions{})
		return outcome(err, "Unauthorized")
	})
	stop()
	e.wg.Wait()
	if e.seen < 16 || len(e.removed) > 0 {
		t.Errorf("after %d events, a daemon would remove %v", e.seen, e.removed)
	}
	err := machines.Remove(t.Context(), h.admin, added.Name, func(string) {})
	if _, none := errors.AsType[*machines.NoMachineError](err); !none {
		t.Errorf("the second removal returns %v", err)
	}
}

// checkGone fails if the hub has any object of a machine.
func checkGone(t *testing.T, h hub, name string) {
	t.Helper()
	for _, object := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}},
		&hubv1.Machine{ObjectMeta: metav1.ObjectMeta{Name: name}},
	} {
		if err := h.admin.Get(t.Context(), client.ObjectKeyFromObject(object), object); !apierrors.IsNotFound(err) {
			t.Errorf("the %T is still there: %v", object, err)
		}
	}
	binding := &rbacv1.ClusterRoleBinding{}
	if err := h.admin.Get(t.Context(), client.ObjectKey{Name: install.MachinesRole}, binding); err != nil {
		t.Fatal(err)
	}
	for _, subject := range binding.Subjects {
		if subject.Name == hubv1.ServiceAccountUser(name) {
			t.Error("the binding of all machines still has the machine")
		}
	}
	for _, flowName := range install.FlowNames() {
		flow := &flowcontrolv1.FlowSchema{}
		if err := h.admin.Get(t.Context(), client.ObjectKey{Name: flowName}, flow); err != nil {
			t.Fatal(err)
		}
		for _, rule := range flow.Spec.Rules {
			for _, subject := range rule.Subjects {
				if subject.User.Name == hubv1.ServiceAccountUser(name) {
					t.Errorf("%s still has the machine", flowName)
				}
			}
		}
	}
}

// A removal that was interrupted after any step is finished by the next one.
func TestRemoveContinuesInterrupted(t *testing.T) {
	h := open(t)
	added := h.add(t, "interrupted", "")
	fill(t, h, added)
	// The controller of a hub annotates the namespace of a machine that is away, and removes
	// only its own annotation.
	namespace := &corev1.Namespace{}
	namespace.Name = added.Name
	ofController := client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"annotations":{"hub.rancherdesktop.io/emptied":"by the controller"}}}`))
	if err := h.admin.Patch(t.Context(), namespace, ofController); err != nil {
		t.Fatal(err)
	}
	interrupted := 0
	for stopAfter := 1; ; stopAfter++ {
		ctx, cancel := context.WithCancel(t.Context())
		steps := 0
		err := machines.Remove(ctx, h.admin, added.Name, func(string) {
			if steps++; steps == stopAfter {
				cancel()
			}
		})
		cancel()
		_, none := errors.AsType[*machines.NoMachineError](err)
		if err == nil || none {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		interrupted++
		err = h.admin.Get(t.Context(), client.ObjectKeyFromObject(namespace), namespace)
		if value := namespace.Annotations[hubv1.EmptiedAnnotation]; stopAfter == 2 && (err != nil || value == "" || value == "by the controller") {
			t.Errorf("the namespace is annotated with %q, %v", value, err)
		}
	}
	if interrupted < 4 {
		t.Errorf("the removal was interrupted only %d times", interrupted)
	}
	checkGone(t, h, added.Name)
}

// A namespace that was annotated and deleted by hand is stuck with the finalizers of a
// machine that is off, until the machine is removed.
func TestRemoveFinishesDeletedNamespace(t *testing.T) {
	h := open(t)
	added := h.add(t, "byhand", "")
	fill(t, h, added)
	namespace := &corev1.Namespace{}
	namespace.Name = added.Name
	emptied := client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"annotations":{"hub.rancherdesktop.io/emptied":"true"}}}`))
	if err := h.admin.Patch(t.Context(), namespace, emptied); err != nil {
		t.Fatal(err)
	}
	if err := h.admin.Delete(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	if _, err := machines.Add(t.Context(), h.admin, added.Name, ""); outcome(err, "is being deleted") != nil {
		t.Error(outcome(err, "is being deleted"))
	}
	if err := machines.Remove(t.Context(), h.admin, added.Name, func(string) {}); err != nil {
		t.Fatal(err)
	}
	checkGone(t, h, added.Name)
}
