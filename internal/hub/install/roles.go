package install

import (
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
)

const (
	// MachineRole is the ClusterRole of the user of a machine in the namespace of this
	// machine, to which a RoleBinding binds it.
	MachineRole = "rdd-machine"
	// MachinesRole is the ClusterRole of the users of all machines for what is not in a
	// namespace. One ClusterRoleBinding of the same name binds it, see SyncUsers.
	MachinesRole = "rdd-machines"
	// ViewerRole is the ClusterRole of people who see machines and mirrors.
	ViewerRole = "rdd-viewer"
	// OperatorRole is the ClusterRole of people who also start, stop, remove and create.
	OperatorRole = "rdd-operator"
)

// roles returns the ClusterRoles of a hub.
func roles() []*rbacv1.ClusterRole {
	viewer, operator := viewerRules(), operatorRules()
	return []*rbacv1.ClusterRole{
		role(MachineRole, machineRules(), nil),
		role(MachinesRole, machinesRules(), nil),
		// Aggregated rights also apply where view or edit is bound. That adds nothing to edit
		// that it lacks: who has it in the namespace of a machine can get a token of the
		// machine's ServiceAccount. A machine itself limits what it carries out, see
		// status.allow of its Machine.
		role(ViewerRole, viewer, map[string]string{"rbac.authorization.k8s.io/aggregate-to-view": "true"}),
		role(OperatorRole, slices.Concat(viewer, operator), map[string]string{"rbac.authorization.k8s.io/aggregate-to-edit": "true"}),
	}
}

func role(name string, rules []rbacv1.PolicyRule, labels map[string]string) *rbacv1.ClusterRole {
	return &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}, Rules: rules}
}

// rule returns a rule about resources of an API group, which may have names.
func rule(group string, resources, verbs []string, names ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: resources, Verbs: verbs, ResourceNames: names}
}

// machineRules are the rights of a machine in its namespace. There is no right to create or
// change a request, and none on the subresource finalizers, which only owner references
// need: finalizers of mirrors are a part of the mirrors. A right to get namespaces that is
// bound in a namespace is for this namespace only.
func machineRules() []rbacv1.PolicyRule {
	mirrors := containersv1.GroupVersion.Group
	return []rbacv1.PolicyRule{
		rule(mirrors, mirrorResources(""), []string{"get", "list", "watch", "create", "update", "patch", "delete"}),
		rule(mirrors, mirrorResources("/status"), []string{"get", "update", "patch"}),
		rule(mirrors, requestResources(""), []string{"get", "list", "watch", "delete"}),
		rule(mirrors, requestResources("/status"), []string{"get", "update", "patch"}),
		// A create has no name that a rule could be about.
		rule("coordination.k8s.io", []string{"leases"}, []string{"create"}),
		rule("coordination.k8s.io", []string{"leases"}, []string{"get", "update", "patch"}, hubv1.LeaseName),
		rule("", []string{"events"}, []string{"create", "patch"}),
		rule("events.k8s.io", []string{"events"}, []string{"create", "patch"}),
		rule("", []string{"serviceaccounts/token"}, []string{"create"}, hubv1.ServiceAccountName),
		rule("", []string{"namespaces"}, []string{"get"}),
	}
}

// machinesRules are the rights of all machines outside of namespaces: to read whether a
// definition is being deleted, which is no request to remove the objects of an engine, and to
// report the state of a machine.
//
// They are the same for all machines. A role with the name of a Machine would need a
// ClusterRoleBinding for each machine, and the API server compares each request of the
// cluster with all of them. So the policy rdd-machine-status limits a machine to its own
// Machine. No policy limits what is read, so a machine has no right to read Machines: it reads
// its own in the answer to a patch without a change, which the policy refuses for others.
// The API server applies and validates a patch before it asks the policy, so the error of a
// crafted patch can still show a field of another Machine. Only a right with a name prevents
// this.
func machinesRules() []rbacv1.PolicyRule {
	return []rbacv1.PolicyRule{
		rule("apiextensions.k8s.io", []string{"customresourcedefinitions"}, []string{"get"}, definitionNames()...),
		rule(hubv1.GroupVersion.Group, []string{"machines/status"}, []string{"update", "patch"}),
	}
}

// machinesBinding returns the binding of MachinesRole. It has no subjects: those are the users
// of the machines, see SyncUsers. An update of the hub does not apply this field.
func machinesBinding() *rbacv1.ClusterRoleBinding {
	return &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: MachinesRole},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: MachinesRole},
	}
}

// viewerRules are what a viewer may read. ContainerCreateRequests are excluded, as secrets are
// from the role view of Kubernetes: their environment has values that no mirror shows.
func viewerRules() []rbacv1.PolicyRule {
	read := readVerbs()
	requests := slices.DeleteFunc(requestResources(""), func(resource string) bool { return resource == secretResource() })
	return []rbacv1.PolicyRule{
		rule(containersv1.GroupVersion.Group, slices.Concat(mirrorResources(""), requests), read),
		rule(hubv1.GroupVersion.Group, []string{"machines"}, read),
		rule("", []string{"events"}, read),
		rule("events.k8s.io", []string{"events"}, read),
	}
}

// operatorRules are what an operator may do besides reading. A ContainerNamespace has
// nothing to operate. There is no deletecollection: one request would remove all objects
// of a kind.
func operatorRules() []rbacv1.PolicyRule {
	var operable []string
	for _, kind := range containersv1.Kinds() {
		if kind.HasFinalizer() {
			operable = append(operable, kind.GroupVersionResource().Resource)
		}
	}
	return []rbacv1.PolicyRule{
		rule(containersv1.GroupVersion.Group, []string{secretResource()}, readVerbs()),
		rule(containersv1.GroupVersion.Group, operable, []string{"update", "patch", "delete"}),
		rule(containersv1.GroupVersion.Group, requestResources(""), []string{"create", "update", "patch", "delete"}),
	}
}

func readVerbs() []string { return []string{"get", "list", "watch"} }

// secretResource returns the resource that only operators read.
func secretResource() string {
	return containersv1.KindContainerCreateRequest.GroupVersionResource().Resource
}

// mirrorResources returns the resources of all mirrors, or their subresources.
func mirrorResources(subresource string) []string {
	var resources []string
	for _, kind := range containersv1.Kinds() {
		resources = append(resources, kind.GroupVersionResource().Resource+subresource)
	}
	return resources
}

// requestResources returns the resources of all requests, or their subresources.
func requestResources(subresource string) []string {
	var resources []string
	for _, kind := range containersv1.RequestKinds() {
		resources = append(resources, kind.GroupVersionResource().Resource+subresource)
	}
	return resources
}
