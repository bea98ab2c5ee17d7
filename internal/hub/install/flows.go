package install

import (
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// leaseFlow has the Leases of the machines. They have the priority of the heartbeats of
	// nodes, so that no machine counts as away because the hub is busy.
	leaseFlow = "rdd-machine-leases"
	// machineFlow has all other requests of the machines. Each machine has a queue of its
	// own, so that one that writes thousands of mirrors does not delay the others.
	machineFlow = "rdd-machines"
	// controllerFlow has the Lease of the controller's leader, so that no controller loses it
	// because the hub is busy with machines. Kubernetes gives this priority only to the
	// controllers in kube-system.
	controllerFlow = "rdd-hub-controller-lease"
)

// flows returns the flow schemas of a hub. Those of the machines have no rules, which name the
// users of the machines, see SyncUsers. An update of the hub does not apply this field.
func flows() []*flowcontrolv1.FlowSchema {
	controller := flow(controllerFlow, "leader-election", 380)
	controller.Spec.Rules = []flowcontrolv1.PolicyRulesWithSubjects{{
		Subjects: []flowcontrolv1.Subject{{
			Kind:           flowcontrolv1.SubjectKindServiceAccount,
			ServiceAccount: &flowcontrolv1.ServiceAccountSubject{Namespace: ControllerNamespace, Name: ControllerName},
		}},
		ResourceRules: leaseRules(ControllerNamespace),
	}}
	return []*flowcontrolv1.FlowSchema{
		// Before the schemas for nodes (400) and for service accounts (9000).
		controller,
		flow(leaseFlow, "node-high", 390),
		flow(machineFlow, "workload-low", 8900),
	}
}

func flow(name, priority string, precedence int32) *flowcontrolv1.FlowSchema {
	return &flowcontrolv1.FlowSchema{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: flowcontrolv1.FlowSchemaSpec{
			PriorityLevelConfiguration: flowcontrolv1.PriorityLevelConfigurationReference{Name: priority},
			MatchingPrecedence:         precedence,
			DistinguisherMethod:        &flowcontrolv1.FlowDistinguisherMethod{Type: flowcontrolv1.FlowDistinguisherMethodByUserType},
		},
	}
}

// FlowNames returns the names of the flow schemas whose rules name the users of machines.
func FlowNames() []string { return []string{leaseFlow, machineFlow} }

// FlowRules returns the rules of a flow schema for the users of all machines. Without users
// there are none, and the schema matches no request.
func FlowRules(name string, users []string) []flowcontrolv1.PolicyRulesWithSubjects {
	if len(users) == 0 {
		return nil
	}
	rules := flowcontrolv1.PolicyRulesWithSubjects{}
	for _, user := range users {
		rules.Subjects = append(rules.Subjects, flowcontrolv1.Subject{
			Kind: flowcontrolv1.SubjectKindUser, User: &flowcontrolv1.UserSubject{Name: user},
		})
	}
	all := []string{"*"}
	if name == leaseFlow {
		rules.ResourceRules = leaseRules("*")
	} else {
		rules.ResourceRules = []flowcontrolv1.ResourcePolicyRule{{
			Verbs: all, APIGroups: all, Resources: all, Namespaces: all, ClusterScope: true,
		}}
		rules.NonResourceRules = []flowcontrolv1.NonResourcePolicyRule{{Verbs: all, NonResourceURLs: all}}
	}
	return []flowcontrolv1.PolicyRulesWithSubjects{rules}
}

// leaseRules match what an election does with a Lease in a namespace, or in all of them ("*").
func leaseRules(namespace string) []flowcontrolv1.ResourcePolicyRule {
	return []flowcontrolv1.ResourcePolicyRule{{
		Verbs: []string{"get", "create", "update", "patch"}, APIGroups: []string{"coordination.k8s.io"},
		Resources: []string{"leases"}, Namespaces: []string{namespace},
	}}
}
