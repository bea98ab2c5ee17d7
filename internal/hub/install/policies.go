package install

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	"sigs.k8s.io/yaml"

	daemonpolicies "github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/policies"
)

// ownFiles are the policies that only a hub has.
//
//go:embed policies/*.yaml
var ownFiles embed.FS

// boundPolicy is a policy with its binding, which a file has.
type boundPolicy struct {
	policy  *admissionv1.ValidatingAdmissionPolicy
	binding *admissionv1.ValidatingAdmissionPolicyBinding
}

// derivation is a policy of rdd's own API server that a hub also has.
//
// A hub has none of the others: rdd-app-deletion and rdd-engine-config are about the App,
// which is not on a hub; rdd-conversion is about what only rdd's API server lacks;
// rdd-mirrors-namespace and rdd-definitions have variants of the hub's own, because a hub
// has many such namespaces and is updated by its administrators. rdd-containernamespace
// would keep a deleted namespace in Terminating, and there is nothing to protect: a deleted
// ContainerNamespace changes nothing in an engine, and its machine restores it.
type derivation struct {
	file string
	// exempt are variables that exempt a request from the policy, in place of the
	// condition that exempts rdd's daemon.
	exempt []admissionv1.Variable
}

func derivations() []derivation {
	return []derivation{
		{"rdd-container-action.yaml", []admissionv1.Variable{ownMachine()}},
		{"rdd-mirror-creation.yaml", []admissionv1.Variable{ownMachine()}},
		// The namespace controller deletes mirrors that lack the finalizer, and 'rdd hub remove'
		// removes the finalizer.
		{"rdd-mirror-finalizer.yaml", []admissionv1.Variable{ownMachine(), emptied()}},
		{"rdd-request-spec.yaml", nil},
		{"rdd-status.yaml", []admissionv1.Variable{ownMachine()}},
	}
}

// daemonCondition is the condition in rdd's own policies that exempts the daemon.
const daemonCondition = "not-by-the-daemon"

// ownMachine is true for a request by the user of the machine whose namespace it is in.
// Conditions of a match cannot read the namespace, but variables can.
func ownMachine() admissionv1.Variable {
	return admissionv1.Variable{
		Name: "ownMachine",
		Expression: "namespaceObject.metadata.?annotations[?'hub.rancherdesktop.io/user'].orValue('') != '' && " +
			"namespaceObject.metadata.annotations['hub.rancherdesktop.io/user'] == request.userInfo.username",
	}
}

// emptied is true in a namespace that is being removed from the hub.
func emptied() admissionv1.Variable {
	return admissionv1.Variable{
		Name: "emptied",
		Expression: "has(namespaceObject.metadata.deletionTimestamp) || " +
			"namespaceObject.metadata.?annotations[?'hub.rancherdesktop.io/emptied'].hasValue()",
	}
}

// policies returns the admission policies of a hub.
func policies() ([]boundPolicy, error) {
	var all []boundPolicy
	for _, d := range derivations() {
		p, err := derive(d)
		if err != nil {
			return nil, fmt.Errorf("derive the admission policy %s: %w", d.file, err)
		}
		all = append(all, p)
	}
	paths, err := fs.Glob(ownFiles, "policies/*.yaml")
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		p, err := readPolicy(ownFiles, path)
		if err != nil {
			return nil, fmt.Errorf("read the admission policy %s: %w", path, err)
		}
		all = append(all, p)
	}
	return all, nil
}

// derive returns the variant of a policy for a hub.
func derive(d derivation) (boundPolicy, error) {
	p, err := readPolicy(daemonpolicies.Files, d.file)
	if err != nil {
		return boundPolicy{}, err
	}
	spec := &p.policy.Spec
	isDaemonCondition := func(c admissionv1.MatchCondition) bool { return c.Name == daemonCondition }
	if slices.ContainsFunc(spec.MatchConditions, isDaemonCondition) != (len(d.exempt) > 0) {
		return boundPolicy{}, errors.New("a policy has the condition " + daemonCondition + " if, and only if, its variant for a hub exempts requests")
	}
	spec.MatchConditions = slices.DeleteFunc(spec.MatchConditions, isDaemonCondition)
	spec.Variables = slices.Concat(d.exempt, spec.Variables)
	for i := range spec.Validations {
		v := &spec.Validations[i]
		for _, exempt := range slices.Backward(d.exempt) {
			v.Expression = "variables." + exempt.Name + " || (" + v.Expression + ")"
		}
	}
	rules := spec.MatchConstraints.ResourceRules
	spec.MatchConstraints.ResourceRules = slices.DeleteFunc(rules, func(r admissionv1.NamedRuleWithOperations) bool {
		return slices.Contains(r.APIGroups, "app.rancherdesktop.io")
	})
	return p, nil
}

// readPolicy reads a file with a policy and its binding.
func readPolicy(files fs.FS, path string) (boundPolicy, error) {
	text, err := fs.ReadFile(files, path)
	if err != nil {
		return boundPolicy{}, err
	}
	documents := bytes.Split(text, []byte("\n---\n"))
	if len(documents) != 2 {
		return boundPolicy{}, fmt.Errorf("the file has %d documents and not 2", len(documents))
	}
	p := boundPolicy{&admissionv1.ValidatingAdmissionPolicy{}, &admissionv1.ValidatingAdmissionPolicyBinding{}}
	if err := yaml.UnmarshalStrict(documents[0], p.policy); err != nil {
		return boundPolicy{}, err
	}
	if err := yaml.UnmarshalStrict(documents[1], p.binding); err != nil {
		return boundPolicy{}, err
	}
	if p.binding.Spec.PolicyName != p.policy.Name {
		return boundPolicy{}, fmt.Errorf("the binding is for the policy %s and not %s", p.binding.Spec.PolicyName, p.policy.Name)
	}
	return p, nil
}
