package controlplane_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	appv1alpha1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1alpha1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/controlplanetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// secondVersion adds version v2 to a definition.
func secondVersion(crd *unstructured.Unstructured) *unstructured.Unstructured {
	spec := crd.Object["spec"].(map[string]any)
	second := (&unstructured.Unstructured{Object: spec["versions"].([]any)[0].(map[string]any)}).DeepCopy().Object
	second["name"], second["storage"] = "v2", false
	spec["versions"] = append(spec["versions"].([]any), second)
	return crd
}

// waitFor waits until condition returns nil.
func waitFor(t testing.TB, what string, condition func() error) {
	t.Helper()
	testkit.Eventually(t, time.Minute, what, condition)
}

// A definition with a conversion webhook, which an earlier version accepted, fails
// reads with an error and can be corrected. Without a resolver the process panicked in
// a goroutine of a watch.
func TestConversionWebhookFailsReads(t *testing.T) {
	opts := controlplanetest.Options(t)
	daemon := dynamicClient(t, controlplanetest.StartWith(t, opts).RESTConfig())
	user := dynamicClient(t, userConfig(t, opts))
	must(t, daemon, namespaces, newNamespace("mine"))
	for plural, converter := range map[string]map[string]any{"services": converterService, "urls": converterURL} {
		t.Run(plural, func(t *testing.T) {
			const group = "example.com"
			crd := must(t, daemon, crds, secondVersion(newCRD(group, plural, "Kind"+plural)))
			v1 := schema.GroupVersionResource{Group: group, Version: "v1", Resource: plural}
			v2 := schema.GroupVersionResource{Group: group, Version: "v2", Resource: plural}
			one := object(v1.GroupVersion(), "Kind"+plural, "mine", "one", nil)
			waitFor(t, "create an object", func() error {
				_, err := user.Resource(v1).Namespace("mine").Create(t.Context(), one, metav1.CreateOptions{})
				return err
			})
			merge, err := json.Marshal(withConversion(&unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{}}}, converter).Object)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := daemon.Resource(crds).Patch(t.Context(), crd.GetName(), types.MergePatchType, merge, metav1.PatchOptions{}); err != nil {
				t.Fatal(err)
			}
			waitFor(t, "a list that is converted fails", func() error {
				if _, err := user.Resource(v2).List(t.Context(), metav1.ListOptions{}); err == nil {
					return errors.New("the read succeeded without a conversion")
				}
				return nil
			})
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			watch, err := user.Resource(v2).Watch(ctx, metav1.ListOptions{ResourceVersion: crd.GetResourceVersion()})
			if err != nil {
				t.Fatal(err)
			}
			defer watch.Stop()
			if event, open := <-watch.ResultChan(); open && event.Type != "ERROR" {
				t.Errorf("the watch sent %v", event)
			}
			// The user can correct and delete the definition.
			if err := patch(crds, "", crd.GetName(), `{"spec":{"conversion":{"strategy":"None","webhook":null}}}`)(t.Context(), user); err != nil {
				t.Fatal(err)
			}
			if err := remove(crds, "", crd.GetName())(t.Context(), user); err != nil {
				t.Fatal(err)
			}
			waitFor(t, "the definition goes", func() error { return gone(t.Context(), user, crds, "", crd.GetName()) })
		})
	}
}

// gone returns nil if the object does not exist.
func gone(ctx context.Context, client dynamic.Interface, resource schema.GroupVersionResource, namespace, name string) error {
	object, err := client.Resource(resource).Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err == nil {
		err = fmt.Errorf("%s still exists, deleted at %v, with finalizers %v", name, object.GetDeletionTimestamp(), object.GetFinalizers())
	}
	return err
}

func newPolicy(name string, spec map[string]any) *unstructured.Unstructured {
	whole := map[string]any{
		"failurePolicy": "Fail",
		"matchConstraints": map[string]any{"resourceRules": []any{map[string]any{
			"apiGroups": []any{"*"}, "apiVersions": []any{"*"}, "resources": []any{"*/*"}, "operations": []any{"*"},
		}}},
		"validations": []any{map[string]any{"expression": "false"}},
	}
	maps.Copy(whole, spec)
	return object(policies.GroupVersion(), "ValidatingAdmissionPolicy", "", name, map[string]any{"spec": whole})
}

func newBinding(name, policy string, spec map[string]any) *unstructured.Unstructured {
	whole := map[string]any{"policyName": policy, "validationActions": []any{"Deny"}}
	maps.Copy(whole, spec)
	return object(bindings.GroupVersion(), "ValidatingAdmissionPolicyBinding", "", name, map[string]any{"spec": whole})
}

// A user's policy that denies everything does not affect the daemon. The refusal of a
// user's change names the binding, which can be deleted, even after a restart.
func TestDenyingUserPolicyCanBeDeleted(t *testing.T) {
	opts := controlplanetest.Options(t)
	server := start(t, opts)
	daemon, user := dynamicClient(t, server.RESTConfig()), dynamicClient(t, userConfig(t, opts))
	must(t, daemon, apps(), newApp(nil))
	must(t, daemon, namespaces, newNamespace(appv1alpha1.DefaultNamespace))
	must(t, user, policies, newPolicy("nothing", nil))
	must(t, user, bindings, newBinding("nothing-anywhere", "nothing", nil))
	// A policy that cannot be evaluated denies too; a missing one denies nothing.
	must(t, user, policies, newPolicy("no-such-kind", map[string]any{"paramKind": map[string]any{"apiVersion": "example.com/v1", "kind": "Nothing"}}))
	must(t, user, bindings, newBinding("no-such-kind", "no-such-kind", map[string]any{"paramRef": map[string]any{"name": "x", "parameterNotFoundAction": "Deny"}}))
	must(t, user, bindings, newBinding("no-such-policy", "no-such-policy", nil))
	change := patch(apps(), "", "app", `{"spec":{"running":true}}`)
	refused := func() error {
		if err := change(t.Context(), user); !apierrors.IsForbidden(err) && !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "rdd ctl delete validatingadmissionpolicybinding no") {
			return fmt.Errorf("got %w", err)
		}
		return nil
	}
	waitFor(t, "the policy comes into force", refused)
	must(t, daemon, mirrors("containers"), newMirror("Container", appv1alpha1.DefaultNamespace, "one"))
	stop(t, server)

	server = start(t, opts)
	defer stop(t, server)
	daemon, user = dynamicClient(t, server.RESTConfig()), dynamicClient(t, userConfig(t, opts))
	waitFor(t, "the policy is in force after a restart", refused)
	must(t, daemon, mirrors("containers"), newMirror("Container", appv1alpha1.DefaultNamespace, "two"))
	for _, name := range []string{"nothing-anywhere", "no-such-kind", "no-such-policy"} {
		if err := remove(bindings, "", name)(t.Context(), user); err != nil {
			t.Error(err)
		}
	}
	waitFor(t, "the App can be changed again", func() error { return change(t.Context(), user) })
}

// A policy finds the kind of its parameters even if the kind is defined later.
func TestPolicyParameterKindDefinedLater(t *testing.T) {
	opts := controlplanetest.Options(t)
	controlplanetest.StartWith(t, opts)
	user := dynamicClient(t, userConfig(t, opts))
	rules := map[string]any{"resourceRules": []any{map[string]any{
		"apiGroups": []any{""}, "apiVersions": []any{"v1"}, "resources": []any{"namespaces"}, "operations": []any{"CREATE"},
	}}}
	must(t, user, policies, newPolicy("by-rule", map[string]any{
		"matchConstraints": rules,
		"paramKind":        map[string]any{"apiVersion": "example.com/v1", "kind": "Rule"},
		"validations":      []any{map[string]any{"expression": "object.metadata.name != params.spec.forbidden", "message": "the rule forbids this"}},
	}))
	must(t, user, bindings, newBinding("by-rule", "by-rule", map[string]any{"paramRef": map[string]any{"name": "r", "namespace": "rules", "parameterNotFoundAction": "Allow"}}))
	waitFor(t, "a policy of an unknown kind denies", func() error {
		err := create(namespaces, newNamespace("before"))(t.Context(), user)
		_ = remove(namespaces, "", "before")(t.Context(), user)
		if err == nil || !strings.Contains(err.Error(), "paramKind") {
			return fmt.Errorf("got %w", err)
		}
		return nil
	})
	must(t, user, crds, newCRD("example.com", "rules", "Rule"))
	waitFor(t, "a namespace for the rule", func() error { return create(namespaces, newNamespace("rules"))(t.Context(), user) })
	rules1 := schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "rules"}
	must(t, user, rules1, object(rules1.GroupVersion(), "Rule", "rules", "r", map[string]any{"spec": map[string]any{"forbidden": "bad"}}))
	waitFor(t, "the rule is in force", func() error {
		err := create(namespaces, newNamespace("bad"))(t.Context(), user)
		if err == nil || !strings.Contains(err.Error(), "the rule forbids this") {
			_ = remove(namespaces, "", "bad")(t.Context(), user)
			return fmt.Errorf("got %w", err)
		}
		return nil
	})
	if err := create(namespaces, newNamespace("good"))(t.Context(), user); err != nil {
		t.Error(err)
	}
}

// Unusual definitions of a user are served or refused, and rdd's own kinds are served
// as before.
func TestUnusualDefinitionsServed(t *testing.T) {
	opts := controlplanetest.Options(t)
	server := controlplanetest.StartWith(t, opts)
	user := dynamicClient(t, userConfig(t, opts))
	must(t, user, namespaces, newNamespace("mine"))
	schemaOf := func(crd *unstructured.Unstructured) map[string]any {
		version := crd.Object["spec"].(map[string]any)["versions"].([]any)[0].(map[string]any)
		return version["schema"].(map[string]any)["openAPIV3Schema"].(map[string]any)
	}
	wide := newCRD("example.com", "wides", "Wide")
	properties := map[string]any{}
	for i := range 5000 {
		properties[fmt.Sprintf("field%d", i)] = map[string]any{"type": "string", "description": strings.Repeat("x", 100)}
	}
	schemaOf(wide)["properties"] = map[string]any{"spec": map[string]any{"type": "object", "properties": properties}}
	deep := newCRD("example.com", "deeps", "Deep")
	level := map[string]any{"type": "string"}
	for range 200 {
		level = map[string]any{"type": "object", "properties": map[string]any{"a": level}}
	}
	schemaOf(deep)["properties"] = map[string]any{"spec": level}
	bomb := newCRD("example.com", "bombs", "Bomb")
	list := map[string]any{"type": "array", "items": map[string]any{"type": "array", "items": map[string]any{"type": "string"}}}
	schemaOf(bomb)["properties"] = map[string]any{"spec": list}
	schemaOf(bomb)["x-kubernetes-validations"] = []any{map[string]any{"rule": "self.spec.all(a, self.spec.all(b, a.all(c, b.all(d, c + d != d + c))))"}}
	status := newCRD("example.com", "scaleds", "Scaled")
	status.Object["spec"].(map[string]any)["versions"].([]any)[0].(map[string]any)["subresources"] = map[string]any{
		"status": map[string]any{}, "scale": map[string]any{"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"},
	}
	for _, crd := range []*unstructured.Unstructured{wide, deep, bomb, status} {
		name := crd.GetName()
		if err := create(crds, crd)(t.Context(), user); err != nil {
			if !apierrors.IsInvalid(err) {
				t.Errorf("define %s: %v", name, err)
			}
			continue
		}
		resource := schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: strings.TrimSuffix(name, ".example.com")}
		waitFor(t, name+" is served", func() error {
			_, err := user.Resource(resource).List(t.Context(), metav1.ListOptions{})
			return err
		})
	}
	scaleds := schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "scaleds"}
	must(t, user, scaleds, object(scaleds.GroupVersion(), "Scaled", "mine", "one", map[string]any{"spec": map[string]any{"replicas": int64(1)}}))
	if _, err := user.Resource(scaleds).Namespace("mine").Patch(t.Context(), "one", types.MergePatchType,
		[]byte(`{"spec":{"replicas":3}}`), metav1.PatchOptions{}, "scale"); err != nil {
		t.Errorf("change a scale: %v", err)
	}
	// Old clients request the groups one by one.
	groups, err := kubeClient(t, server.RESTConfig()).Discovery().ServerGroups()
	if err != nil || len(groups.Groups) < 6 {
		t.Errorf("groups: %v, %v", groups, err)
	}
	if _, err := user.Resource(mirrors("containers")).List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Error(err)
	}
}

// release completes the deletion of a Container, as rdd does when the engine's object
// is removed.
func release(t *testing.T, daemon dynamic.Interface, namespace, name string) {
	t.Helper()
	left, err := daemon.Resource(mirrors("containers")).Namespace(namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(left.GetFinalizers()) != 1 {
		t.Errorf("a deleted mirror has finalizers %v", left.GetFinalizers())
	}
	if err := patch(mirrors("containers"), namespace, name, `{"metadata":{"finalizers":null}}`)(t.Context(), daemon); err != nil {
		t.Fatal(err)
	}
}

// A delete completes for each kind with each propagation policy, although no garbage
// collector removes the finalizers of these policies.
func TestPropagationPoliciesComplete(t *testing.T) {
	opts := controlplanetest.Options(t)
	daemon := dynamicClient(t, controlplanetest.StartWith(t, opts).RESTConfig())
	user := dynamicClient(t, userConfig(t, opts))
	must(t, daemon, apps(), newApp(nil))
	const home = appv1alpha1.DefaultNamespace
	must(t, daemon, namespaces, newNamespace(home))
	must(t, user, crds, newCRD("example.com", "things", "Thing"))
	things := schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "things"}
	waitFor(t, "things are served", func() error {
		_, err := user.Resource(things).List(t.Context(), metav1.ListOptions{})
		return err
	})
	orphan := true
	for how, options := range map[string]metav1.DeleteOptions{
		"background": {PropagationPolicy: new(metav1.DeletePropagationBackground)},
		"foreground": {PropagationPolicy: new(metav1.DeletePropagationForeground)},
		"orphan":     {PropagationPolicy: new(metav1.DeletePropagationOrphan)},
		"dependents": {OrphanDependents: &orphan}, //nolint:staticcheck // old clients send it
	} {
		t.Run(how, func(t *testing.T) {
			must(t, user, namespaces, newNamespace("side-"+how))
			must(t, user, crds, newCRD("example.com", how+"s", "Kind"+how))
			thing := object(things.GroupVersion(), "Thing", "side-"+how, "one", nil)
			thing.SetFinalizers([]string{metav1.FinalizerDeleteDependents}) // and if it is there already
			must(t, user, things, thing)
			must(t, user, things, object(things.GroupVersion(), "Thing", home, "one-"+how, nil))
			must(t, user, things, object(things.GroupVersion(), "Thing", home, "many-"+how, nil))
			mirror := newMirror("Container", home, "one-"+how)
			mirror.SetFinalizers([]string{containersv1alpha1.Finalizer})
			must(t, daemon, mirrors("containers"), mirror)
			for _, target := range []struct {
				resource        schema.GroupVersionResource
				namespace, name string
			}{
				{namespaces, "", "side-" + how},
				{crds, "", how + "s.example.com"},
				{things, home, "one-" + how},
				{mirrors("containers"), home, "one-" + how},
			} {
				resource := user.Resource(target.resource).Namespace(target.namespace)
				if err := resource.Delete(t.Context(), target.name, options); err != nil {
					t.Fatal(err)
				}
				if target.resource == mirrors("containers") {
					release(t, daemon, home, target.name)
				}
				waitFor(t, target.resource.Resource, func() error {
					return gone(t.Context(), user, target.resource, target.namespace, target.name)
				})
			}
			if err := user.Resource(things).Namespace(home).DeleteCollection(t.Context(), options, metav1.ListOptions{}); err != nil {
				t.Fatal(err)
			}
			waitFor(t, "a collection", func() error { return gone(t.Context(), user, things, home, "many-"+how) })
		})
	}
}

// A future resource version, which a client has after an older copy replaced the
// datastore, is refused.
func TestFutureResourceVersionRefused(t *testing.T) {
	opts := controlplanetest.Options(t)
	controlplanetest.StartWith(t, opts)
	user := dynamicClient(t, userConfig(t, opts))
	all, err := user.Resource(namespaces).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	const future = "9000000000000000000"
	for name, try := range map[string]func(schema.GroupVersionResource) error{
		"watch": func(r schema.GroupVersionResource) error {
			_, err := user.Resource(r).Watch(t.Context(), metav1.ListOptions{ResourceVersion: future})
			return err
		},
		"watch with a list": func(r schema.GroupVersionResource) error {
			_, err := user.Resource(r).Watch(t.Context(), metav1.ListOptions{
				ResourceVersion: future, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan, SendInitialEvents: new(true), AllowWatchBookmarks: true,
			})
			return err
		},
		"list": func(r schema.GroupVersionResource) error {
			_, err := user.Resource(r).List(t.Context(), metav1.ListOptions{ResourceVersion: future})
			return err
		},
		"list of that version": func(r schema.GroupVersionResource) error {
			_, err := user.Resource(r).List(t.Context(), metav1.ListOptions{ResourceVersion: future, ResourceVersionMatch: metav1.ResourceVersionMatchExact})
			return err
		},
	} {
		for _, resource := range []schema.GroupVersionResource{namespaces, crds, mirrors("containers")} {
			if err := try(resource); !apierrors.IsTimeout(err) || !apierrors.HasStatusCause(err, metav1.CauseTypeResourceVersionTooLarge) {
				t.Errorf("%s %s: got %v", name, resource.Resource, err)
			}
		}
	}
	accessor, err := meta.ListAccessor(all)
	if err != nil {
		t.Fatal(err)
	}
	watch, err := user.Resource(namespaces).Watch(t.Context(), metav1.ListOptions{ResourceVersion: accessor.GetResourceVersion()})
	if err != nil {
		t.Fatalf("a watch from the current revision: %v", err)
	}
	watch.Stop()
}
