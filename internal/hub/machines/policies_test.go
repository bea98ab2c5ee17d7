package machines_test

import (
	"context"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/install"
)

var (
	crds       = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	namespaces = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	machineGVR = hubv1.GroupVersion.WithResource("machines")
	leases     = schema.GroupVersionResource{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"}
)

// attempt is a request. It changes nothing, but goes through authorization and admission.
type attempt func(context.Context, dynamic.Interface) error

func create(resource schema.GroupVersionResource, object *unstructured.Unstructured) attempt {
	return func(ctx context.Context, c dynamic.Interface) error {
		options := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}
		_, err := c.Resource(resource).Namespace(object.GetNamespace()).Create(ctx, object.DeepCopy(), options)
		return err
	}
}

func remove(resource schema.GroupVersionResource, namespace, name string) attempt {
	return func(ctx context.Context, c dynamic.Interface) error {
		return c.Resource(resource).Namespace(namespace).Delete(ctx, name, metav1.DeleteOptions{DryRun: []string{metav1.DryRunAll}})
	}
}

func patch(resource schema.GroupVersionResource, namespace, name, patch string, subresources ...string) attempt {
	return func(ctx context.Context, c dynamic.Interface) error {
		options := metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}}
		_, err := c.Resource(resource).Namespace(namespace).Patch(ctx, name, types.MergePatchType, []byte(patch), options, subresources...)
		return err
	}
}

// replaceStatus writes the status of an object without a change.
func replaceStatus(resource schema.GroupVersionResource, object *unstructured.Unstructured) attempt {
	return func(ctx context.Context, c dynamic.Interface) error {
		_, err := c.Resource(resource).UpdateStatus(ctx, object.DeepCopy(), metav1.UpdateOptions{DryRun: []string{metav1.DryRunAll}})
		return err
	}
}

func get(resource schema.GroupVersionResource, namespace, name string) attempt {
	return func(ctx context.Context, c dynamic.Interface) error {
		_, err := c.Resource(resource).Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
		return err
	}
}

func list(resource schema.GroupVersionResource, namespace string) attempt {
	return func(ctx context.Context, c dynamic.Interface) error {
		_, err := c.Resource(resource).Namespace(namespace).List(ctx, metav1.ListOptions{})
		return err
	}
}

func newRequest(namespace, name string) *unstructured.Unstructured {
	r := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"name": "data"}}}
	r.SetGroupVersionKind(containersv1.KindVolumeCreateRequest.GroupVersionKind())
	r.SetNamespace(namespace)
	r.SetName(name)
	return r
}

func newLease(namespace, name string) *unstructured.Unstructured {
	l := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"holderIdentity": "x"}}}
	l.SetGroupVersionKind(leases.GroupVersion().WithKind("Lease"))
	l.SetNamespace(namespace)
	l.SetName(name)
	return l
}

type attemptTest struct {
	name string
	who  string
	try  attempt
	want string // part of the error; empty for what is allowed
}

const (
	own, others  = "policies-a", "policies-b"
	noFinalizer  = `{"metadata":{"finalizers":null}}`
	writesStatus = `{"status":{"name":"x"}}`
	runs         = `{"spec":{"state":"running"}}`
	// notReporter refuses that the machine of the tests reports the state of the other one.
	notReporter = "the status of machine policies-b is written by its own user alone, and not by system:serviceaccount:policies-a:rdd"
)

// machineTests are what a machine can do. The user "stranger" is another machine to which
// an administrator has given rights in this namespace by mistake, and other is its Machine.
func machineTests(other *unstructured.Unstructured) []attemptTest {
	token := func(account string) attempt {
		return func(ctx context.Context, c dynamic.Interface) error {
			request := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"expirationSeconds": int64(600)}}}
			request.SetAPIVersion("authentication.k8s.io/v1")
			request.SetKind("TokenRequest")
			request.SetName(account)
			_, err := c.Resource(schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}).Namespace(own).
				Create(ctx, request, metav1.CreateOptions{}, "token")
			return err
		}
	}
	return []attemptTest{
		{"restore a finalizer", "machine", patch(mirrors("volumes"), own, "bare", `{"metadata":{"finalizers":["`+containersv1.Finalizer+`"]}}`), ""},
		{"remove a finalizer", "machine", patch(mirrors("containers"), own, "one", noFinalizer), ""},
		{"delete a mirror without finalizer", "machine", remove(mirrors("volumes"), own, "bare"), ""},
		{"remove an action", "machine", patch(mirrors("containers"), own, "one", `{"metadata":{"annotations":null}}`), ""},
		{"write the status of a request", "machine", patch(mirrors("volumecreaterequests"), own, "req", `{"status":{"message":"x"}}`, "status"), ""},
		{"delete a finished request", "machine", remove(mirrors("volumecreaterequests"), own, "req"), ""},
		{"create a request", "machine", create(mirrors("volumecreaterequests"), newRequest(own, "more")), "cannot create resource"},
		{"change a request", "machine", patch(mirrors("volumecreaterequests"), own, "req", `{"metadata":{"labels":{"a":"b"}}}`), "cannot patch resource"},
		{"create a mirror of another machine", "machine", create(mirrors("containers"), newMirror(containersv1.KindContainer, others, "two")), `in the namespace "policies-b"`},
		{"read mirrors of another machine", "machine", list(mirrors("containers"), others), "cannot list"},
		{"read its namespace", "machine", get(namespaces, "", own), ""},
		{"read another namespace", "machine", get(namespaces, "", others), "cannot get"},
		{"read a definition", "machine", get(crds, "", "containers.containers.rancherdesktop.io"), ""},
		{"read all definitions", "machine", list(crds, ""), "cannot list"},
		{"read its Machine", "machine", get(machineGVR, "", own), "cannot get"},
		{"read another Machine", "machine", get(machineGVR, "", others), "cannot get"},
		{"read all Machines", "machine", list(machineGVR, ""), "cannot list"},
		{"report its state", "machine", patch(machineGVR, "", own, `{"status":{"version":"v1"}}`, "status"), ""},
		{"change its Machine", "machine", patch(machineGVR, "", own, `{"spec":{"user":"x"}}`), "cannot patch"},
		{"change another Machine", "machine", patch(machineGVR, "", others, `{"spec":{"user":"x"}}`), "cannot patch"},
		{"remove another Machine", "machine", remove(machineGVR, "", others), "cannot delete"},
		{"report the state of another machine", "machine", patch(machineGVR, "", others, `{"status":{"version":"v1"}}`, "status"), notReporter},
		{"report no change of another machine", "machine", patch(machineGVR, "", others, `{}`, "status"), notReporter},
		{"replace the state of another machine", "machine", replaceStatus(machineGVR, other), notReporter},
		{"create its Lease", "machine", create(leases, newLease(own, hubv1.LeaseName)), ""},
		{"read another Lease", "machine", get(leases, own, "other"), "cannot get"},
		{"renew its token", "machine", token("rdd"), ""},
		{"get the token of another account", "machine", token("default"), "cannot create"},
		{"read secrets", "machine", list(schema.GroupVersionResource{Version: "v1", Resource: "secrets"}, own), "cannot list"},
		{"change a request by mistaken rights", "stranger", patch(mirrors("volumecreaterequests"), own, "req", `{"spec":{"name":"other"}}`), "only spec.ttlSecondsAfterFinished"},
	}
}

// mirrorTests are what is the same for the mirrors of each kind.
func mirrorTests() []attemptTest {
	var tests []attemptTest
	for _, kind := range containersv1.Kinds() {
		resource, name := kind.GroupVersionResource(), string(kind)
		tests = append(tests,
			attemptTest{"create any " + name, "machine", create(resource, newMirror(kind, own, "two")), ""},
			attemptTest{"write the status of any " + name, "machine", patch(resource, own, "one", writesStatus, "status"), ""},
			attemptTest{"create any " + name, "stranger", create(resource, newMirror(kind, own, "two")), "cannot be created here"},
			attemptTest{"write the status of any " + name, "stranger", patch(resource, own, "one", writesStatus, "status"), "the status is written by rdd alone"},
			attemptTest{"create any " + name, "operator", create(resource, newMirror(kind, own, "two")), "cannot create resource"},
			attemptTest{"write the status of any " + name, "operator", patch(resource, own, "one", writesStatus, "status"), "cannot patch resource"},
			attemptTest{"see any " + name, "viewer", list(resource, own), ""},
			attemptTest{"change any " + name, "viewer", patch(resource, own, "one", `{"metadata":{"labels":{"a":"b"}}}`), "cannot patch resource"},
			attemptTest{"delete the definition of any " + name, "admin", remove(crds, "", resource.GroupResource().String()), "this would delete every " + name + " of all machines"},
			attemptTest{"update the definition of any " + name, "admin", patch(crds, "", resource.GroupResource().String(), `{"metadata":{"labels":{"a":"b"}},"spec":{"preserveUnknownFields":false}}`), ""},
			attemptTest{"create any " + name + " in an ordinary namespace", "admin", create(resource, newMirror(kind, "default", "two")), "cannot be created here"},
		)
		if kind.HasFinalizer() {
			tests = append(tests,
				attemptTest{"remove the finalizer of any " + name, "operator", patch(resource, own, "one", noFinalizer), "is removed by rdd alone"},
				attemptTest{"remove the finalizer of any " + name, "admin", patch(resource, own, "one", noFinalizer), "is removed by rdd alone"},
				attemptTest{"delete any " + name, "operator", remove(resource, own, "one"), ""},
				attemptTest{"delete any " + name, "viewer", remove(resource, own, "one"), "cannot delete resource"},
			)
		}
	}
	return tests
}

// peopleTests are what people can do.
func peopleTests() []attemptTest {
	act := func(action string) attempt {
		return patch(mirrors("containers"), own, "one", `{"metadata":{"annotations":{"`+containersv1.ActionAnnotation+`":"`+action+`"}}}`)
	}
	return []attemptTest{
		{"start a container", "operator", patch(mirrors("containers"), own, "one", runs), ""},
		{"start a container of another machine", "operator", patch(mirrors("containers"), others, "one", runs), "cannot patch"},
		{"start a container", "viewer", patch(mirrors("containers"), own, "one", runs), "cannot patch"},
		{"restart a container", "operator", act("restart"), ""},
		{"burn a container", "operator", act("burn"), `"burn" is not a container action`},
		{"delete a mirror without finalizer", "operator", remove(mirrors("volumes"), own, "bare"), "cannot be deleted yet"},
		{"delete a ContainerNamespace", "operator", remove(mirrors("containernamespaces"), own, "one"), "cannot delete"},
		{"create a request", "operator", create(mirrors("volumecreaterequests"), newRequest(own, "more")), ""},
		{"cancel a request", "operator", remove(mirrors("volumecreaterequests"), own, "req"), ""},
		{"change a request", "operator", patch(mirrors("volumecreaterequests"), own, "req", `{"spec":{"name":"other"}}`), "only spec.ttlSecondsAfterFinished"},
		{"create a request", "viewer", create(mirrors("volumecreaterequests"), newRequest(own, "more")), "cannot create"},
		{"write the status of a request", "admin", patch(mirrors("volumecreaterequests"), own, "req", `{"status":{"message":"x"}}`, "status"), "the status of a request is written by rdd alone"},
		// view and edit are roles of Kubernetes.
		{"see containers with view", "reader", list(mirrors("containers"), own), ""},
		{"see requests with view", "reader", list(mirrors("volumecreaterequests"), own), ""},
		{"see environments with view", "reader", list(mirrors("containercreaterequests"), own), "cannot list"},
		{"see environments", "viewer", list(mirrors("containercreaterequests"), own), "cannot list"},
		{"see environments", "operator", list(mirrors("containercreaterequests"), own), ""},
		{"see environments with edit", "editor", list(mirrors("containercreaterequests"), own), ""},
		{"start a container with view", "reader", patch(mirrors("containers"), own, "one", runs), "cannot patch"},
		{"start a container with edit", "editor", patch(mirrors("containers"), own, "one", runs), ""},
		{"delete the namespace", "admin", remove(namespaces, "", own), `run "rdd hub remove policies-a"`},
		{"delete an ordinary namespace", "admin", remove(namespaces, "", "ordinary"), ""},
		{"delete the definition of Machines", "admin", remove(crds, "", "machines.hub.rancherdesktop.io"), "kubectl annotate crd machines.hub.rancherdesktop.io"},
		{"mark a machine that is away", "admin", patch(machineGVR, "", own, `{"status":{"version":"v1"}}`, "status"), ""},
		{"shorten staleAfter", "admin", patch(machineGVR, "", own, `{"spec":{"staleAfter":"5s"}}`), "at least 30s"},
		{"set staleAfter to a word", "admin", patch(machineGVR, "", own, `{"spec":{"staleAfter":"soon"}}`), "at least 30s"},
		{"shorten removeAfter", "admin", patch(machineGVR, "", own, `{"spec":{"staleAfter":"2h","removeAfter":"1h"}}`), "must not be shorter"},
		{"set both", "admin", patch(machineGVR, "", own, `{"spec":{"staleAfter":"2m0s","removeAfter":"1h30m"}}`), ""},
	}
}

// RBAC and admission allow a machine, people and administrators what they are for.
func TestRightsOnHub(t *testing.T) {
	h := open(t)
	machine, stranger := h.add(t, own, ""), h.add(t, others, "")
	h.create(t, newNamespace("ordinary"))
	h.prepareObjects(t)
	all := rbacv1.PolicyRule{APIGroups: []string{containersv1.GroupVersion.Group}, Resources: []string{"*"}, Verbs: []string{"*"}}
	h.role(t, "mistaken", all)
	h.bind(t, "mistaken", stranger.User, own)
	h.bind(t, install.ViewerRole, "viewer", own)
	h.bind(t, install.OperatorRole, "operator", own)
	h.bind(t, "view", "reader", own)
	h.bind(t, "edit", "editor", own)
	clients := map[string]dynamic.Interface{
		"machine": dynamicClient(t, h.joined(t, machine)), "stranger": dynamicClient(t, h.joined(t, stranger)),
		"admin": dynamicClient(t, h.AdminConfig()),
	}
	for _, user := range []string{"viewer", "operator", "reader", "editor"} {
		clients[user] = dynamicClient(t, h.UserConfig(user))
	}
	other, err := clients["admin"].Resource(machineGVR).Get(t.Context(), others, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tests := range [][]attemptTest{machineTests(other), mirrorTests(), peopleTests()} {
		for _, test := range tests {
			t.Run(test.who+" "+test.name, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
				defer cancel()
				eventually(t, func() error { return outcome(test.try(ctx, clients[test.who]), test.want) })
			})
		}
	}
}

// prepareObjects creates what the tests are about, as an administrator in the role of the
// machine.
func (h hub) prepareObjects(t *testing.T) {
	t.Helper()
	config := h.AdminConfig()
	config.Impersonate.UserName = hubv1.ServiceAccountUser(own)
	c := dynamicClient(t, config)
	must := func(resource schema.GroupVersionResource, object *unstructured.Unstructured) {
		t.Helper()
		eventually(t, func() error {
			_, err := c.Resource(resource).Namespace(own).Create(t.Context(), object, metav1.CreateOptions{})
			return err
		})
	}
	for _, kind := range containersv1.Kinds() {
		must(kind.GroupVersionResource(), newMirror(kind, own, "one"))
	}
	bare := newMirror(containersv1.KindVolume, own, "bare")
	bare.SetFinalizers(nil)
	must(mirrors("volumes"), bare)
	request := newRequest(own, "req")
	if _, err := dynamicClient(t, h.AdminConfig()).Resource(mirrors("volumecreaterequests")).Namespace(own).Create(t.Context(), request, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func newNamespace(name string) *unstructured.Unstructured {
	n := &unstructured.Unstructured{}
	n.SetGroupVersionKind(namespaces.GroupVersion().WithKind("Namespace"))
	n.SetName(name)
	return n
}
