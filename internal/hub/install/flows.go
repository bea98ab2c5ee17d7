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
)

// flows returns the flow schemas of a hub. They have no rules: those name the users of the
// machines, and are written when a machine is added or removed, see FlowRules. An update
// of the hub leaves them as they are, because it does not apply this field.
func flows() []*flowcontrolv1.FlowSchema {
	return []*flowcontrolv1.FlowSchema{
		// Before the schemas for nodes (400) and for service accounts (9000).
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
		rules.ResourceRules = []flowcontrolv1.ResourcePolicyRule{{
			Verbs: []string{"get", "create", "update", "patch"}, APIGroups: []string{"coordination.k8s.io"},
			Resources: []string{"leases"}, Namespaces: all,
		}}
	} else {
		rules.ResourceRules = []flowcontrolv1.ResourcePolicyRule{{
			Verbs: all, APIGroups: all, Resources: all, Namespaces: all, ClusterScope: true,
		}}
		rules.NonResourceRules = []flowcontrolv1.NonResourcePolicyRule{{Verbs: all, NonResourceURLs: all}}
	}
	return []flowcontrolv1.PolicyRulesWithSubjects{rules}
}
