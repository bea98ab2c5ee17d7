package controlplane_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	appv1alpha1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1alpha1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/controlplanetest"
)

// attempt is a request that a policy or a rule of a definition allows or refuses.
type attempt func(context.Context, dynamic.Interface) error

func create(resource schema.GroupVersionResource, object *unstructured.Unstructured) attempt {
	return func(ctx context.Context, client dynamic.Interface) error {
		_, err := client.Resource(resource).Namespace(object.GetNamespace()).Create(ctx, object.DeepCopy(), metav1.CreateOptions{})
		return err
	}
}

func remove(resource schema.GroupVersionResource, namespace, name string) attempt {
	return func(ctx context.Context, client dynamic.Interface) error {
		return client.Resource(resource).Namespace(namespace).Delete(ctx, name, metav1.DeleteOptions{})
	}
}

func removeAll(resource schema.GroupVersionResource, namespace string) attempt {
	return func(ctx context.Context, client dynamic.Interface) error {
		return client.Resource(resource).Namespace(namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{})
	}
}

func patch(resource schema.GroupVersionResource, namespace, name, patch string, subresources ...string) attempt {
	return func(ctx context.Context, client dynamic.Interface) error {
		_, err := client.Resource(resource).Namespace(namespace).Patch(ctx, name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}, subresources...)
		return err
	}
}

func apply(resource schema.GroupVersionResource, name, object string, subresources ...string) attempt {
	return func(ctx context.Context, client dynamic.Interface) error {
		force := true
		_, err := client.Resource(resource).Patch(ctx, name, types.ApplyPatchType, []byte(object),
			metav1.PatchOptions{FieldManager: "test", Force: &force}, subresources...)
		return err
	}
}

type policyTest struct {
	name string
	try  attempt
	want string // part of the message; "" is allowed
}

// mirrorPolicies returns the tests of what is forbidden for every mirrored kind.
func mirrorPolicies(namespace string) []policyTest {
	var tests []policyTest
	for _, kind := range containersv1alpha1.Kinds() {
		resource := kind.GroupVersionResource()
		tests = append(tests,
			policyTest{"create any " + string(kind), create(resource, newMirror(string(kind), namespace, "made")), "cannot be created here"},
			policyTest{"write the status of any " + string(kind), patch(resource, namespace, "one", `{"status":{"name":"x"}}`, "status"), "rdd alone"},
			policyTest{"delete the definition of " + resource.Resource, remove(crds, "", resource.GroupResource().String()), "belongs to rdd"},
			policyTest{"change the definition of " + resource.Resource, patch(crds, "", resource.GroupResource().String(), `{"metadata":{"labels":{"a":"b"}}}`), "belongs to rdd"},
		)
		if kind.HasFinalizer() {
			tests = append(tests, policyTest{
				"remove the finalizer of any " + string(kind),
				patch(resource, namespace, "one", `{"metadata":{"finalizers":null}}`), "by rdd alone",
			})
		}
	}
	return tests
}

// Users cannot do what a policy or a rule of a definition forbids, and can do what is
// similar and allowed. This includes row I2 and the mirrors' namespace of row E9.
func TestPolicies(t *testing.T) {
	opts := controlplanetest.Options(t)
	daemon := dynamicClient(t, controlplanetest.StartWith(t, opts).RESTConfig())
	user := dynamicClient(t, userConfig(t, opts))

	must(t, daemon, apps(), newApp(nil))
	const home = appv1alpha1.DefaultNamespace
	must(t, daemon, namespaces, newNamespace(home))
	must(t, daemon, namespaces, newNamespace("other"))
	for _, kind := range containersv1alpha1.Kinds() {
		mirror := newMirror(string(kind), home, "one")
		if kind.HasFinalizer() {
			mirror.SetFinalizers([]string{containersv1alpha1.Finalizer})
		}
		must(t, daemon, kind.GroupVersionResource(), mirror)
	}
	must(t, daemon, mirrors("volumes"), newMirror("Volume", home, "bare"))
	// Earlier versions accepted definitions of users in rdd's groups.
	must(t, daemon, crds, newCRD("containers.rancherdesktop.io", "gadgets", "Gadget"))
	containers, images, volumes, engineNamespaces := mirrors("containers"), mirrors("images"), mirrors("volumes"), mirrors("containernamespaces")
	act := func(action string, name ...string) attempt {
		return patch(containers, home, append(name, "one")[0], `{"metadata":{"annotations":{"containers.rancherdesktop.io/action":"`+action+`"}}}`)
	}
	held := newMirror("Container", home, "held")
	held.SetFinalizers([]string{containersv1alpha1.Finalizer})
	must(t, daemon, containers, held)
	if err := remove(containers, home, "held")(t.Context(), user); err != nil {
		t.Fatal(err)
	}
	appNamed := func(name string) *unstructured.Unstructured {
		app := newApp(nil)
		app.SetName(name)
		return app
	}

	tests := append(mirrorPolicies(home), []policyTest{
		{"delete the App", remove(apps(), "", "app"), "rdd set running=false"},
		{"delete all Apps", removeAll(apps(), ""), "rdd svc delete"},
		{"a second App", create(apps(), appNamed("second")), "its name is 'app'"},
		{"change the App", patch(apps(), "", "app", `{"spec":{"running":true}}`), ""},
		{"change the App's namespace", patch(apps(), "", "app", `{"spec":{"namespace":"other"}}`), "namespace is immutable"},
		{"an endpoint without its driver", patch(apps(), "", "app", `{"spec":{"vm":{"endpoint":"unix:///x"}}}`), "vm.driver=external"},
		{"an endpoint with its driver", patch(apps(), "", "app", `{"spec":{"vm":{"driver":"external","endpoint":"unix:///x"}}}`), ""},
		{"an endpoint of no known scheme", patch(apps(), "", "app", `{"spec":{"vm":{"driver":"external","endpoint":"x"}}}`), "spec.vm.endpoint"},
		{"an unknown engine", patch(apps(), "", "app", `{"spec":{"containerEngine":{"name":"podman"}}}`), "moby"},
		{"an unknown driver", patch(apps(), "", "app", `{"spec":{"vm":{"driver":"magic"}}}`), "native"},
		{"write the App's status", patch(apps(), "", "app", `{"status":{"engine":{"version":"1"}}}`, "status"), "rdd set"},

		{"create a Container", create(containers, newMirror("Container", home, "two")), "docker run"},
		{"create an Image", create(images, newMirror("Image", home, "two")), "docker pull"},
		{"create a Volume", create(volumes, newMirror("Volume", home, "two")), "docker volume create"},
		{"create a Network", create(mirrors("networks"), newMirror("Network", home, "two")), "docker network create"},
		{"create a ContainerNamespace", create(engineNamespaces, newMirror("ContainerNamespace", home, "two")), "appears when the engine starts"},
		{"create a Container elsewhere", create(containers, newMirror("Container", "other", "two")), "docker run"},
		{"desired state", patch(containers, home, "one", `{"spec":{"state":"running"}}`), ""},
		{"unknown desired state", patch(containers, home, "one", `{"spec":{"state":"flying"}}`), "unknown"},
		{"write a Container's status", patch(containers, home, "one", `{"status":{"pid":1}}`, "status"), "spec.state"},
		{"an unknown action", act("fly"), `"fly" is not a container action: set the annotation containers.rancherdesktop.io/action to start, stop`},
		{"an action with a capital", act("Restart"), "is not a container action"},
		{"an empty action", act(""), "is not a container action"},
		{"an action", act("restart"), ""},
		{"another action instead", act("kill"), ""},
		{"a change beside an action", patch(containers, home, "one", `{"metadata":{"annotations":{"note":"beside"}}}`), ""},
		{"an action on a container that is being deleted", act("start", "held"), "is being deleted"},
		{"withdraw an action", patch(containers, home, "one", `{"metadata":{"annotations":{"containers.rancherdesktop.io/action":null}}}`), ""},
		{"another annotation", patch(containers, home, "one", `{"metadata":{"annotations":{"note":"mine"}}}`), ""},
		{"a finalizer of one's own", patch(volumes, home, "one", `{"metadata":{"finalizers":["example.com/held","engine.rancherdesktop.io/docker-mirror"]}}`), ""},
		{"rdd's finalizer of a Container", patch(containers, home, "one", `{"metadata":{"finalizers":["example.com/held"]}}`), "by rdd alone"},
		{"an Image's finalizer by its status", patch(images, home, "one", `{"metadata":{"finalizers":[]}}`, "status"), "rdd alone"},
		{"a Volume without its finalizer", remove(volumes, home, "bare"), "retry in a moment"},
		{"label a Container", patch(containers, home, "one", `{"metadata":{"labels":{"a":"b"}}}`), ""},
		{"delete a ContainerNamespace", remove(engineNamespaces, home, "one"), "when the engine stops"},
		{"delete all ContainerNamespaces", removeAll(engineNamespaces, home), "when the engine stops"},

		{"delete the mirrors' namespace", remove(namespaces, "", home), "keeps the mirrors"},
		{"create a namespace", create(namespaces, newNamespace("mine")), ""},
		{"delete another namespace", remove(namespaces, "", "other"), ""},
		{"delete the definition of the App", remove(crds, "", "apps.app.rancherdesktop.io"), "belongs to rdd"},
		{"change a definition of rdd", patch(crds, "", "apps.app.rancherdesktop.io", `{"metadata":{"labels":{"a":"b"}}}`), "belongs to rdd"},
		{"write the status of a definition of rdd", patch(crds, "", "apps.app.rancherdesktop.io", `{"status":{"conditions":[]}}`, "status"), "belongs to rdd"},
		{"apply a definition of rdd", apply(crds, "apps.app.rancherdesktop.io", `{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"apps.app.rancherdesktop.io","labels":{"a":"b"}}}`), "belongs to rdd"},
		{"apply the status of a definition of rdd", apply(crds, "images.containers.rancherdesktop.io", `{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"images.containers.rancherdesktop.io"},"status":{"storedVersions":["v9"],"conditions":null,"acceptedNames":null}}`, "status"), "belongs to rdd"},
		{"define a resource in a group of rdd", create(crds, newCRD("containers.rancherdesktop.io", "things", "Thing")), "below a domain of your own"},
		{"define a resource in a coming group of rdd", create(crds, newCRD("hub.rancherdesktop.io", "things", "Thing")), "belongs to rdd"},
		{"change another definition in a group of rdd", patch(crds, "", "gadgets.containers.rancherdesktop.io", `{"metadata":{"labels":{"a":"b"}}}`), "belongs to rdd"},
		{"delete another definition in a group of rdd", remove(crds, "", "gadgets.containers.rancherdesktop.io"), ""},
		{"define a resource in the group of events", create(crds, approved(newCRD("events.k8s.io", "things", "Thing"))), "built into"},
		{"define a resource in a built-in group", create(crds, approved(newCRD("authentication.k8s.io", "things", "Thing"))), "built into"},
		{"define a resource", create(crds, newCRD("example.com", "things", "Thing")), ""},
		{"change a definition", patch(crds, "", "things.example.com", `{"metadata":{"labels":{"a":"b"}}}`), ""},
		{"define a resource with a conversion webhook", create(crds, withConversion(newCRD("example.com", "others", "Other"), converterService)), "no conversion webhooks"},
		{"add a conversion webhook", patch(crds, "", "things.example.com", `{"spec":{"conversion":{"strategy":"Webhook","webhook":{"conversionReviewVersions":["v1"],"clientConfig":{"url":"https://127.0.0.1:1/"}}}}}`), "no conversion webhooks"},
		{"delete a definition", remove(crds, "", "things.example.com"), ""},
		{"delete a policy of rdd", remove(policies, "", "rdd-definitions"), "belongs to rdd"},
		{"delete all policies", removeAll(policies, ""), "belongs to rdd"},
		{"delete a binding of rdd", remove(bindings, "", "rdd-definitions"), "belongs to rdd"},
		{"change a policy of rdd", patch(policies, "", "rdd-definitions", `{"spec":{"failurePolicy":"Ignore"}}`), "belongs to rdd"},
		{"change a binding of rdd", patch(bindings, "", "rdd-definitions", `{"spec":{"validationActions":["Warn"]}}`), "belongs to rdd"},

		{"delete a Container", remove(containers, home, "one"), ""},
		{"delete an Image", remove(images, home, "one"), ""},
		{"delete a Volume", remove(volumes, home, "one"), ""},
	}...)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.try(t.Context(), user)
			if test.want == "" {
				if err != nil {
					t.Errorf("the request was refused: %v", err)
				}
				return
			}
			if err == nil {
				t.Fatal("the request was allowed")
			}
			if !apierrors.IsForbidden(err) && !apierrors.IsInvalid(err) {
				t.Errorf("the request failed with another error: %v", err)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("the message does not say %q: %v", test.want, err)
			}
		})
	}
	waitFor(t, "the other definition goes", func() error {
		_, err := user.Resource(crds).Get(t.Context(), "gadgets.containers.rancherdesktop.io", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("the definition is still there: %w", err)
	})
}

// The daemon may do what the policies forbid to users.
func TestDaemonIsExempt(t *testing.T) {
	daemon := dynamicClient(t, controlplanetest.Start(t).RESTConfig())
	must(t, daemon, apps(), newApp(nil))
	must(t, daemon, namespaces, newNamespace(appv1alpha1.DefaultNamespace))
	must(t, daemon, mirrors("containernamespaces"), newMirror("ContainerNamespace", appv1alpha1.DefaultNamespace, "moby"))
	for name, try := range map[string]attempt{
		"write a status":              patch(apps(), "", "app", `{"status":{"engine":{"version":"1"}}}`, "status"),
		"delete a ContainerNamespace": remove(mirrors("containernamespaces"), appv1alpha1.DefaultNamespace, "moby"),
	} {
		if err := try(t.Context(), daemon); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := remove(apps(), "", "app")(t.Context(), daemon); err != nil {
		t.Error(err)
	}
}
