package install

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	daemonpolicies "github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/policies"
)

func objects(t *testing.T) []*unstructured.Unstructured {
	t.Helper()
	all, err := Objects("v1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// The rights of a machine name each definition of the hub, and the App is none of them.
func TestDefinitionsAreNamed(t *testing.T) {
	var names []string
	for _, object := range objects(t) {
		if object.GroupVersionKind().GroupKind() == crdKind() {
			names = append(names, object.GetName())
		}
	}
	slices.Sort(names)
	if want := definitionNames(); !slices.Equal(names, want) {
		t.Errorf("the definitions are\n%v\nand the rights of a machine are for\n%v", names, want)
	}
}

func TestObjectsAreDesiredState(t *testing.T) {
	seen := map[string]bool{}
	for _, object := range objects(t) {
		id := object.GetKind() + " " + object.GetName()
		if seen[id] {
			t.Errorf("there are two objects %s", id)
		}
		seen[id] = true
		if object.GetLabels()[ManagedByLabel] != ManagedBy {
			t.Errorf("%s has the labels %v", id, object.GetLabels())
		}
		if got := object.GetAnnotations()[hubv1.VersionAnnotation]; got != "v1.2.3" {
			t.Errorf("%s is from the version %q", id, got)
		}
		for _, field := range [][]string{{"status"}, {"metadata", "creationTimestamp"}, {"metadata", "managedFields"}} {
			if _, found, _ := unstructured.NestedFieldNoCopy(object.Object, field...); found {
				t.Errorf("%s has the field %v, which the API server sets", id, field)
			}
		}
	}
	for _, want := range []string{
		"Namespace rdd-hub", "ServiceAccount rdd-hub-controller", "Role rdd-hub-controller", "RoleBinding rdd-hub-controller",
		"ClusterRole rdd-hub-controller", "ClusterRoleBinding rdd-hub-controller",
		"ClusterRoleBinding rdd-machines", "FlowSchema rdd-hub-controller-lease",
		"ClusterRole rdd-machine", "ClusterRole rdd-viewer", "ClusterRole rdd-operator",
		"ValidatingAdmissionPolicy rdd-status", "ValidatingAdmissionPolicyBinding rdd-status",
		"ValidatingAdmissionPolicy rdd-machine-namespace", "FlowSchema rdd-machine-leases",
	} {
		if !seen[want] {
			t.Errorf("there is no %s", want)
		}
	}
	for _, unwanted := range []string{"rdd-containernamespace", "rdd-mirrors-namespace", "rdd-definitions", "rdd-conversion", "rdd-app-deletion"} {
		if seen["ValidatingAdmissionPolicy "+unwanted] {
			t.Errorf("a hub has the policy %s", unwanted)
		}
	}
}

// Each policy of the daemon that is not derived is named with the reason.
func TestPoliciesAreDecidedUpon(t *testing.T) {
	entries, err := daemonpolicies.Files.ReadDir(".")
	if err != nil || len(entries) == 0 {
		t.Fatal(entries, err)
	}
	without := []string{
		"rdd-app-deletion.yaml", "rdd-engine-config.yaml", "rdd-conversion.yaml", "rdd-mirrors-namespace.yaml",
		"rdd-definitions.yaml", "rdd-containernamespace.yaml",
	}
	for _, entry := range entries {
		isDerived := slices.ContainsFunc(derivations(), func(d derivation) bool { return d.file == entry.Name() })
		if isDerived == slices.Contains(without, entry.Name()) {
			t.Errorf("decide whether a hub needs %s, see derivation", entry.Name())
		}
	}
}

// The user of rdd's daemon does not exist on a hub. A policy that exempts it exempts
// no user there, or one who takes this name.
func TestPoliciesDoNotNameDaemon(t *testing.T) {
	var text bytes.Buffer
	if err := Print(&text, "v1.2.3"); err != nil {
		t.Fatal(err)
	}
	for _, unwanted := range []string{"system:rdd", daemonCondition, "app.rancherdesktop.io"} {
		if strings.Contains(text.String(), unwanted) {
			t.Errorf("the objects of a hub have %s", unwanted)
		}
	}
}

func TestPrintedObjectsCanBeRead(t *testing.T) {
	var text bytes.Buffer
	if err := Print(&text, "v1.2.3"); err != nil {
		t.Fatal(err)
	}
	want := objects(t)
	documents := strings.Split(strings.TrimPrefix(text.String(), "---\n"), "\n---\n")
	if len(documents) != len(want) {
		t.Fatalf("%d documents, want %d", len(documents), len(want))
	}
	for i, document := range documents {
		var got unstructured.Unstructured
		if err := yaml.Unmarshal([]byte(document), &got.Object); err != nil {
			t.Fatal(err)
		}
		if got.GetKind() != want[i].GetKind() || got.GetName() != want[i].GetName() {
			t.Errorf("document %d is %s %s, want %s %s", i, got.GetKind(), got.GetName(), want[i].GetKind(), want[i].GetName())
		}
	}
}

func TestFlowWithoutMachinesHasNoRules(t *testing.T) {
	for _, name := range FlowNames() {
		if rules := FlowRules(name, nil); rules != nil {
			t.Errorf("%s without machines has the rules %v", name, rules)
		}
		if rules := FlowRules(name, []string{"a", "b"}); len(rules) != 1 || len(rules[0].Subjects) != 2 {
			t.Errorf("%s with two machines has the rules %v", name, rules)
		}
	}
}

// What an installation applies does not name users, because it would remove those of the
// machines.
func TestObjectsNameNoUsers(t *testing.T) {
	fields := map[string][]string{"ClusterRoleBinding " + MachinesRole: {"subjects"}}
	for _, name := range FlowNames() {
		fields["FlowSchema "+name] = []string{"spec", "rules"}
	}
	for _, object := range objects(t) {
		id := object.GetKind() + " " + object.GetName()
		if _, found, _ := unstructured.NestedFieldNoCopy(object.Object, fields[id]...); found && fields[id] != nil {
			t.Errorf("%s has the field %v", id, fields[id])
		}
		delete(fields, id)
	}
	if len(fields) > 0 {
		t.Errorf("the objects lack %v", fields)
	}
}

func TestUsersAreNamedOnce(t *testing.T) {
	machine := func(user string, isDeleted bool) hubv1.Machine {
		m := hubv1.Machine{Spec: hubv1.MachineSpec{User: user}}
		if isDeleted {
			m.DeletionTimestamp = &metav1.Time{Time: time.Now()}
		}
		return m
	}
	got := users([]hubv1.Machine{machine("b", false), machine("a", false), machine("b", false), machine("c", true)})
	if !slices.Equal(got, []string{"a", "b"}) {
		t.Error(got)
	}
}
