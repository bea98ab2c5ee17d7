package install_test

import (
	"context"
	"slices"
	"testing"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/install"
)

// create creates an object, and deletes it after the test.
func create(t *testing.T, c client.Client, object client.Object) {
	t.Helper()
	if err := c.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.IgnoreNotFound(c.Delete(context.WithoutCancel(t.Context()), object)); err != nil {
			t.Error(err)
		}
	})
}

// named returns the users that the objects of a hub name, by the name of the object.
func named(t *testing.T, c client.Client) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	binding := &rbacv1.ClusterRoleBinding{}
	if err := c.Get(t.Context(), client.ObjectKey{Name: install.MachinesRole}, binding); err != nil {
		t.Fatal(err)
	}
	for _, subject := range binding.Subjects {
		all["the binding"] = append(all["the binding"], subject.Name)
	}
	for _, name := range install.FlowNames() {
		flow := &flowcontrolv1.FlowSchema{}
		if err := c.Get(t.Context(), client.ObjectKey{Name: name}, flow); err != nil {
			t.Fatal(err)
		}
		for _, rule := range flow.Spec.Rules {
			for _, subject := range rule.Subjects {
				all[name] = append(all[name], subject.User.Name)
			}
		}
	}
	return all
}

// An update writes the users of the machines, and keeps them.
func TestApplyNamesUsersOfMachines(t *testing.T) {
	c := connect(t)
	apply(t, c)
	for name, user := range map[string]string{"one": "carol", "two": "carol", "three": "system:serviceaccount:three:rdd"} {
		create(t, c, &hubv1.Machine{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: hubv1.MachineSpec{User: user}})
	}
	want := []string{"carol", "system:serviceaccount:three:rdd"}
	for range 2 {
		apply(t, c)
		all := named(t, c)
		if len(all) != 3 {
			t.Errorf("the objects name %v", all)
		}
		for name, users := range all {
			if !slices.Equal(users, want) {
				t.Errorf("%s has %v, want %v", name, users, want)
			}
		}
	}
}

// Earlier versions had roles and bindings for each machine, which an update deletes. Those of
// an administrator stay.
func TestApplyDeletesBindingsOfMachines(t *testing.T) {
	c := connect(t)
	apply(t, c)
	ofMachine := map[string]string{install.ManagedByLabel: install.ManagedBy, hubv1.MachineLabel: "former"}
	for name, labels := range map[string]map[string]string{"rdd:machine:former": ofMachine, "rdd-operators": nil} {
		meta := metav1.ObjectMeta{Name: name, Labels: labels}
		create(t, c, &rbacv1.ClusterRole{ObjectMeta: meta})
		create(t, c, &rbacv1.ClusterRoleBinding{ObjectMeta: meta, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name}})
	}
	apply(t, c)
	for _, object := range []client.Object{&rbacv1.ClusterRole{}, &rbacv1.ClusterRoleBinding{}} {
		if err := c.Get(t.Context(), client.ObjectKey{Name: "rdd:machine:former"}, object); !apierrors.IsNotFound(err) {
			t.Errorf("the %T of a machine was kept: %v", object, err)
		}
		if err := c.Get(t.Context(), client.ObjectKey{Name: "rdd-operators"}, object); err != nil {
			t.Errorf("the %T of an administrator was deleted: %v", object, err)
		}
	}
}
