package machines

import (
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

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

func account(machine string) *corev1.ServiceAccount {
	return &corev1.ServiceAccount{ObjectMeta: inNamespace(machine, hubv1.ServiceAccountName)}
}

// subject returns the subject of the binding of a machine. If user is empty, that is its
// ServiceAccount.
func subject(machine, user string) rbacv1.Subject {
	if user == "" {
		return rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: machine, Name: hubv1.ServiceAccountName}
	}
	return rbacv1.Subject{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: user}
}

// binding returns what gives a machine its rights in its namespace. Those outside of it are
// the same for all machines, see install.MachinesRole.
func binding(machine, user string) *rbacv1.RoleBinding {
	return &rbacv1.RoleBinding{
		ObjectMeta: inNamespace(machine, install.MachineRole),
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: install.MachineRole},
		Subjects:   []rbacv1.Subject{subject(machine, user)},
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
