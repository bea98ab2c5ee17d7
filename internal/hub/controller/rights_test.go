package controller

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/install"
)

// accountConfig returns the configuration of the controller's ServiceAccount.
func (h testHub) accountConfig(t *testing.T) *rest.Config {
	t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: install.ControllerNamespace, Name: install.ControllerName}}
	request := &authenticationv1.TokenRequest{}
	if err := h.admin.SubResource("token").Create(t.Context(), account, request); err != nil {
		t.Fatal(err)
	}
	config := h.AnonymousConfig()
	config.BearerToken = request.Status.Token
	return config
}

// deleteElection deletes the Lease of the leader.
func (h testHub) deleteElection(t *testing.T) {
	t.Helper()
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: Name}}
	if err := client.IgnoreNotFound(h.admin.Delete(t.Context(), lease)); err != nil {
		t.Fatal(err)
	}
}

// checkRights fails if the controller has rights that it has not used, or was refused a
// request. It follows tests in which a controller did everything that it can do.
func (h testHub) checkRights(t *testing.T) {
	used := map[string]bool{
		// The admission policy rdd-machine-status asks for this right, see
		// TestStatusNeedsRightToUpdate.
		"update machines.hub.rancherdesktop.io": true,
	}
	for _, e := range h.AuditEvents() {
		if e.User.Username != user || e.UserAgent != Name || e.ObjectRef == nil {
			continue
		}
		if e.ResponseStatus.Code == 403 {
			t.Errorf("%s %s is forbidden", e.Verb, e.RequestURI)
		}
		resource := strings.TrimSuffix(e.ObjectRef.Resource+"/"+e.ObjectRef.Subresource, "/")
		used[e.Verb+" "+schema.GroupResource{Group: e.ObjectRef.APIGroup, Resource: resource}.String()] = true
	}
	everywhere, election := &rbacv1.ClusterRole{}, &rbacv1.Role{}
	err := errors.Join(h.admin.Get(t.Context(), client.ObjectKey{Name: Name}, everywhere),
		h.admin.Get(t.Context(), client.ObjectKey{Namespace: Namespace, Name: Name}, election))
	if err != nil || len(everywhere.Rules) == 0 || len(election.Rules) == 0 {
		t.Fatal("the controller has no rights", err)
	}
	for _, rule := range append(everywhere.Rules, election.Rules...) {
		for _, resource := range rule.Resources {
			for _, verb := range rule.Verbs {
				right := verb + " " + schema.GroupResource{Group: rule.APIGroups[0], Resource: resource}.String()
				if !used[right] {
					t.Errorf("the controller has the right to %s, and does not use it", right)
				}
			}
		}
	}
}

// The right to update Machines is used by no request of the controller. Without it, the hub
// refuses its writes of the status.
func TestStatusNeedsRightToUpdate(t *testing.T) {
	h := open(t)
	p := h.add(t, "unmarked", shortest)
	const reporter = "reporter"
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: reporter}, Rules: []rbacv1.PolicyRule{{
		APIGroups: []string{hubv1.GroupVersion.Group}, Resources: []string{"machines/status"}, Verbs: []string{"patch"},
	}}}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: reporter},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: reporter},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: reporter}},
	}
	if err := errors.Join(h.admin.Create(t.Context(), role), h.admin.Create(t.Context(), binding)); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(h.UserConfig(reporter), client.Options{Scheme: h.admin.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		err := c.Status().Patch(t.Context(), p.machine(), client.RawPatch(types.MergePatchType, []byte(`{"status":{"version":"forged"}}`)))
		if err == nil {
			t.Fatal("the status was written")
		}
		if !strings.Contains(err.Error(), "is written by its own user alone") {
			return err
		}
		return nil
	})
}

// No request with the rights of the controller reaches the engine of a machine that is there.
func TestMirrorsAreProtected(t *testing.T) {
	h := open(t)
	p := h.add(t, "present", shortest)
	p.mirror(1)
	c, err := client.New(h.accountConfig(t), client.Options{Scheme: h.admin.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	key := metav1.ObjectMeta{Namespace: p.name, Name: "mirror-0"}
	for name, test := range map[string]struct {
		do   func() error
		want string
	}{
		"delete a container": {
			func() error { return c.Delete(t.Context(), &containersv1.Container{ObjectMeta: key}) },
			"changes mirrors only in a namespace with the annotation",
		},
		"stop a container": {
			func() error {
				stop := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"state":"created"}}`))
				return c.Patch(t.Context(), &containersv1.Container{ObjectMeta: key}, stop)
			},
			"changes mirrors only in a namespace with the annotation",
		},
		"change the user of a Machine": {
			func() error {
				machine := p.machine()
				machine.Spec.User = "mallory"
				return c.Update(t.Context(), machine)
			},
			"changes nothing of machine present but its status",
		},
	} {
		eventually(t, func() error { // the API server needs a moment to notice the policies
			err := test.do()
			if err == nil {
				t.Fatalf("%s: permitted", name)
			}
			if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), test.want) {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		})
	}
}

// The right of the controller to change namespaces is for one annotation of those of machines.
func TestNamespacesAreProtected(t *testing.T) {
	h := open(t)
	p := h.add(t, "protected", shortest)
	c, err := client.New(h.accountConfig(t), client.Options{Scheme: h.admin.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	patch := func(name, metadata string) error {
		return c.Patch(t.Context(), namespace(name), client.RawPatch(types.MergePatchType, []byte(`{"metadata":`+metadata+`}`)))
	}
	for _, test := range []struct {
		name, metadata string
		isAllowed      bool
	}{
		{p.name, `{"annotations":{"hub.rancherdesktop.io/emptied":"now"}}`, true},
		{p.name, `{"annotations":{"hub.rancherdesktop.io/emptied":null}}`, true},
		{"kube-system", `{"annotations":{"hub.rancherdesktop.io/emptied":"now"}}`, false},
		{Namespace, `{"annotations":{"hub.rancherdesktop.io/emptied":"now"}}`, false},
		{p.name, `{"annotations":{"hub.rancherdesktop.io/user":"mallory"}}`, false},
		{p.name, `{"annotations":{"hub.rancherdesktop.io/user":null}}`, false},
		{p.name, `{"annotations":{"example.com/other":"added"}}`, false},
		{p.name, `{"labels":{"pod-security.kubernetes.io/enforce":"privileged"}}`, false},
		{"default", `{"labels":{"hub.rancherdesktop.io/machine":"default"}}`, false},
		{p.name, `{"finalizers":["example.com/kept"]}`, false},
	} {
		eventually(t, func() error {
			err := patch(test.name, test.metadata)
			switch {
			case test.isAllowed:
				return err
			case err == nil:
				t.Fatalf("namespace %s was changed: %s", test.name, test.metadata)
			case !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "changes nothing in the namespace "+test.name):
				return fmt.Errorf("%s %s: %w", test.name, test.metadata, err)
			}
			return nil
		})
	}
}
