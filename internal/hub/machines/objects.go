package machines

import (
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/install"
)

// labels mark the objects of a machine.
func labels(name string) map[string]string {
	return map[string]string{install.ManagedByLabel: install.ManagedBy, hubv1.MachineLabel: name}
}

func inNamespace(machine, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: machine, Name: name, Labels: labels(machine)}
}

func inCluster(machine, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Labels: labels(machine)}
}

// ownRoleName is the name of the ClusterRole, and of its binding, with the rights of a
// machine on its Machine.
func ownRoleName(machine string) string { return "rdd:machine:" + machine }

// sharedBindingName is the name of the binding of install.MachinesRole to a machine.
func sharedBindingName(machine string) string { return "rdd:machines:" + machine }

func account(machine string) *corev1.ServiceAccount {
	return &corev1.ServiceAccount{ObjectMeta: inNamespace(machine, hubv1.ServiceAccountName)}
}

// subject returns the subject of the bindings of a machine. If user is empty, that is its
// ServiceAccount.
func subject(machine, user string) rbacv1.Subject {
	if user == "" {
		return rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: machine, Name: hubv1.ServiceAccountName}
	}
	return rbacv1.Subject{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: user}
}

func clusterRole(name string) rbacv1.RoleRef {
	return rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name}
}

// bindings returns what gives a machine its rights: those in its namespace, those that are
// equal for all machines, and those on its own Machine.
//
// There is no binding to a group of all machines. A ServiceAccount has only the groups of
// Kubernetes, and system:serviceaccounts has every other one of the cluster, too.
func bindings(machine, user string) []client.Object {
	subjects := []rbacv1.Subject{subject(machine, user)}
	return []client.Object{
		&rbacv1.ClusterRole{ObjectMeta: inCluster(machine, ownRoleName(machine)), Rules: install.MachineOwnRules(machine)},
		&rbacv1.ClusterRoleBinding{ObjectMeta: inCluster(machine, ownRoleName(machine)), RoleRef: clusterRole(ownRoleName(machine)), Subjects: subjects},
		&rbacv1.ClusterRoleBinding{ObjectMeta: inCluster(machine, sharedBindingName(machine)), RoleRef: clusterRole(install.MachinesRole), Subjects: subjects},
		&rbacv1.RoleBinding{ObjectMeta: inNamespace(machine, install.MachineRole), RoleRef: clusterRole(install.MachineRole), Subjects: subjects},
	}
}

// maxObjects limits the objects of each kind in the namespace of a machine, so that one
// machine cannot fill the hub. The limits are far above what one engine has.
func maxObjects() map[schema.GroupResource]string {
	limits := map[schema.GroupResource]string{}
	for _, kind := range containersv1.Kinds() {
		limits[kind.GroupVersionResource().GroupResource()] = "5000"
	}
	limits[containersv1.KindContainer.GroupVersionResource().GroupResource()] = "2000"
	for _, kind := range containersv1.RequestKinds() {
		limits[kind.GroupVersionResource().GroupResource()] = "1000"
	}
	return limits
}

// quota returns the ResourceQuota of a machine.
func quota(machine string) *corev1.ResourceQuota {
	q := &corev1.ResourceQuota{ObjectMeta: inNamespace(machine, hubv1.QuotaName)}
	q.Spec.Hard = corev1.ResourceList{}
	for of, limit := range maxObjects() {
		q.Spec.Hard[corev1.ResourceName("count/"+of.String())] = resource.MustParse(limit)
	}
	return q
}
