package install

import (
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
)

const (
	// ControllerNamespace has the ServiceAccount of the controller and the Lease of its leader.
	//
	// It is not kube-system: managed clusters refuse changes there, policies and quotas exempt
	// it, and a user who may create pods in a namespace has the rights of its ServiceAccounts.
	ControllerNamespace = "rdd-hub"
	// ControllerName is the name of the controller's ServiceAccount, of its roles, and of the
	// Lease of its leader.
	ControllerName = "rdd-hub-controller"
)

// controllerObjects returns what 'rdd hub run' needs to run without the rights of an
// administrator.
func controllerObjects() []client.Object {
	inCluster := metav1.ObjectMeta{Name: ControllerName}
	inNamespace := metav1.ObjectMeta{Namespace: ControllerNamespace, Name: ControllerName}
	subjects := []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: ControllerNamespace, Name: ControllerName}}
	return []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ControllerNamespace}},
		&corev1.ServiceAccount{ObjectMeta: inNamespace},
		role(ControllerName, controllerRules(), nil),
		&rbacv1.ClusterRoleBinding{ObjectMeta: inCluster, RoleRef: roleRef("ClusterRole"), Subjects: subjects},
		&rbacv1.Role{ObjectMeta: inNamespace, Rules: electionRules()},
		&rbacv1.RoleBinding{ObjectMeta: inNamespace, RoleRef: roleRef("Role"), Subjects: subjects},
	}
}

func roleRef(kind string) rbacv1.RoleRef {
	return rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kind, Name: ControllerName}
}

// controllerRules are the rights of the controller outside of its namespace. A right on
// namespaces cannot be limited to those of machines: the policy rdd-hub-controller does that.
func controllerRules() []rbacv1.PolicyRule {
	var released []string
	for _, kind := range containersv1.Kinds() {
		if kind.HasFinalizer() {
			released = append(released, kind.GroupVersionResource().Resource)
		}
	}
	return []rbacv1.PolicyRule{
		// The policy rdd-machine-status permits the status to those who may update Machines.
		rule(hubv1.GroupVersion.Group, []string{"machines"}, []string{"get", "list", "watch", "update"}),
		rule(hubv1.GroupVersion.Group, []string{"machines/status"}, []string{"patch"}),
		rule("coordination.k8s.io", []string{"leases"}, []string{"get", "list", "watch"}, hubv1.LeaseName),
		rule("", []string{"namespaces"}, []string{"get", "list", "watch", "patch"}),
		rule(containersv1.GroupVersion.Group, mirrorResources(""), []string{"list", "delete"}),
		rule(containersv1.GroupVersion.Group, released, []string{"patch"}),
		rule("apiextensions.k8s.io", []string{"customresourcedefinitions"}, []string{"get"}, machinesCRD),
	}
}

// electionRules are the rights of the controller in its namespace: those on the Lease of the
// leader. A create has no name that a rule could be about.
func electionRules() []rbacv1.PolicyRule {
	return []rbacv1.PolicyRule{
		rule("coordination.k8s.io", []string{"leases"}, []string{"create"}),
		rule("coordination.k8s.io", []string{"leases"}, []string{"get", "update"}, ControllerName),
	}
}
