package machines_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/hubtest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/machines"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

func TestMain(m *testing.M) { os.Exit(shared.Run(m)) }

var shared = hubtest.NewShared(hubtest.WithControllerManager())

// hub is a hub in a test, and a client of an administrator.
type hub struct {
	*hubtest.Hub
	admin client.Client
}

func open(t *testing.T) hub {
	t.Helper()
	h, admin := shared.Installed(t, nil)
	return hub{h, admin}
}

// add adds a machine, and removes it after the test.
func (h hub) add(t *testing.T, name, user string) *machines.Added {
	t.Helper()
	added, err := machines.Add(t.Context(), h.admin, name, user)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 2*time.Minute)
		defer cancel()
		err := machines.Remove(ctx, h.admin, name, func(string) {})
		if _, none := errors.AsType[*machines.NoMachineError](err); err != nil && !none {
			t.Error(err)
		}
	})
	return added
}

// joined returns the configuration of a machine from its join file.
func (h hub) joined(t *testing.T, added *machines.Added) *rest.Config {
	t.Helper()
	file, err := machines.JoinFile(h.AdminConfig(), added)
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	return config
}

// bind gives a user the rights of a ClusterRole in a namespace, or everywhere.
func (h hub) bind(t *testing.T, role, user, namespace string) {
	t.Helper()
	ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role}
	subjects := []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: user}}
	name := metav1.ObjectMeta{GenerateName: "test-", Namespace: namespace}
	var object client.Object = &rbacv1.RoleBinding{ObjectMeta: name, RoleRef: ref, Subjects: subjects}
	if namespace == "" {
		object = &rbacv1.ClusterRoleBinding{ObjectMeta: name, RoleRef: ref, Subjects: subjects}
	}
	h.create(t, object)
}

// role creates a ClusterRole.
func (h hub) role(t *testing.T, name string, rules ...rbacv1.PolicyRule) {
	t.Helper()
	h.create(t, &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: rules})
}

// create creates an object, and deletes it after the test.
func (h hub) create(t *testing.T, object client.Object) {
	t.Helper()
	if err := h.admin.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.IgnoreNotFound(h.admin.Delete(context.WithoutCancel(t.Context()), object)); err != nil {
			t.Error(err)
		}
	})
}

func dynamicClient(t *testing.T, config *rest.Config) dynamic.Interface {
	t.Helper()
	c, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mirrors(resource string) schema.GroupVersionResource {
	return containersv1.GroupVersion.WithResource(resource)
}

// newMirror returns a mirror with rdd's finalizer.
func newMirror(kind containersv1.Kind, namespace, name string) *unstructured.Unstructured {
	m := &unstructured.Unstructured{}
	m.SetGroupVersionKind(kind.GroupVersionKind())
	m.SetNamespace(namespace)
	m.SetName(name)
	if kind.HasFinalizer() {
		m.SetFinalizers([]string{containersv1.Finalizer})
	}
	return m
}

// eventually calls check until it returns nil. API servers and controllers need a moment to
// notice what was written.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	testkit.Eventually(t, 90*time.Second, "the hub to notice", check)
}

// outcome returns an error unless err is the wanted one; an empty text means none.
func outcome(err error, want string) error {
	switch {
	case want == "" && err == nil:
		return nil
	case want == "":
		return fmt.Errorf("refused: %w", err)
	case err == nil:
		return fmt.Errorf("allowed, want %q", want)
	case !strings.Contains(err.Error(), want):
		return fmt.Errorf("refused with %w, want %q", err, want)
	}
	return nil
}
