package controlplane_test

import (
	"context"
	"encoding/json"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apimachinery/pkg/watch"

	appv1alpha1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1alpha1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/controlplanetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// deadline bounds every wait of the tests.
const deadline = 20 * time.Second

// Older clients request a list of groups and then each group; newer ones request
// everything at once. Both get all resources.
func TestDiscovery(t *testing.T) {
	opts := controlplanetest.Options(t)
	controlplanetest.StartWith(t, opts)
	client := kubeClient(t, userConfig(t, opts)).Discovery()
	want := map[string][]string{
		"v1":                                     {"namespaces", "events"},
		"events.k8s.io/v1":                       {"events"},
		"admissionregistration.k8s.io/v1":        {"validatingadmissionpolicies", "validatingadmissionpolicybindings"},
		"apiextensions.k8s.io/v1":                {"customresourcedefinitions"},
		appv1alpha1.GroupVersion.String():        {"apps", "apps/status"},
		containersv1alpha1.GroupVersion.String(): {"containers", "containers/status", "images", "volumes", "networks", "containernamespaces"},
		"authentication.k8s.io/v1":               {"selfsubjectreviews"},
		"authorization.k8s.io/v1":                {"selfsubjectaccessreviews"},
	}
	for name, discovery := range map[string]interface {
		ServerGroupsAndResources() ([]*metav1.APIGroup, []*metav1.APIResourceList, error)
	}{"legacy": client.WithLegacy(), "aggregated": client} {
		t.Run(name, func(t *testing.T) {
			_, lists, err := discovery.ServerGroupsAndResources()
			if err != nil {
				t.Fatal(err)
			}
			found := map[string][]string{}
			for _, list := range lists {
				for _, resource := range list.APIResources {
					found[list.GroupVersion] = append(found[list.GroupVersion], resource.Name)
				}
			}
			for version, resources := range want {
				for _, resource := range resources {
					if !slices.Contains(found[version], resource) {
						t.Errorf("%s is not among %s: %v", resource, version, found[version])
					}
				}
			}
		})
	}
}

// The version is the one that 'kubectl version' parses.
func TestVersion(t *testing.T) {
	info, err := kubeClient(t, controlplanetest.Start(t).RESTConfig()).Discovery().ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := version.ParseSemantic(info.GitVersion); err != nil {
		t.Error(err)
	}
	if !strings.HasPrefix(info.GitVersion, "v"+info.Major+"."+info.Minor) {
		t.Errorf("the version is %s (%s.%s)", info.GitVersion, info.Major, info.Minor)
	}
}

// OpenAPI has what 'kubectl explain' reads. The definitions are published in the
// background.
func TestOpenAPI(t *testing.T) {
	client := kubeClient(t, controlplanetest.Start(t).RESTConfig()).Discovery()
	testkit.EventuallyTrue(t, deadline, "OpenAPI v2 to be published", func() bool {
		document, err := client.OpenAPISchema()
		if err != nil {
			t.Fatal(err)
		}
		names := []string{}
		for _, definition := range document.GetDefinitions().GetAdditionalProperties() {
			names = append(names, definition.GetName())
		}
		hasLog := false
		for _, path := range document.GetPaths().GetPath() {
			hasLog = hasLog || strings.HasSuffix(path.GetName(), "/containers/{name}/log")
		}
		return hasLog && slices.Contains(names, "io.rancherdesktop.app.v1alpha1.App") &&
			slices.Contains(names, "io.k8s.api.core.v1.Namespace") &&
			!slices.Contains(names, "io.k8s.api.core.v1.Pod")
	})
	testkit.EventuallyTrue(t, deadline, "OpenAPI v3 to be published", func() bool {
		paths, err := client.OpenAPIV3().Paths()
		if err != nil {
			t.Fatal(err)
		}
		mirrors, known := paths["apis/"+containersv1alpha1.GroupVersion.String()]
		if !known || paths["api/v1"] == nil {
			return false
		}
		data, err := mirrors.Schema("application/json")
		for _, part := range []string{"StateReached", "containers/{name}/log", "containers/{name}/exec", "tailLines"} {
			if !strings.Contains(string(data), part) {
				return false
			}
		}
		return err == nil && json.Valid(data)
	})
}

// An App and a namespace are applied, and another field manager gets a conflict.
func TestServerSideApply(t *testing.T) {
	opts := controlplanetest.Options(t)
	controlplanetest.StartWith(t, opts)
	client := dynamicClient(t, userConfig(t, opts))
	if _, err := client.Resource(apps()).Apply(t.Context(), "app", newApp(map[string]any{"running": true}), metav1.ApplyOptions{FieldManager: "one"}); err != nil {
		t.Fatal(err)
	}
	_, err := client.Resource(apps()).Apply(t.Context(), "app", newApp(map[string]any{"running": false}), metav1.ApplyOptions{FieldManager: "two"})
	if err == nil || !strings.Contains(err.Error(), "conflict") {
		t.Errorf("another manager's field: %v", err)
	}
	if _, err := client.Resource(namespaces).Apply(t.Context(), "x", newNamespace("x"), metav1.ApplyOptions{FieldManager: "one"}); err != nil {
		t.Error(err)
	}
}

// Lists can be filtered by the fields that the definitions declare.
func TestFieldSelectors(t *testing.T) {
	client := dynamicClient(t, controlplanetest.Start(t).RESTConfig())
	must(t, client, namespaces, newNamespace("n"))
	for _, name := range []string{"one", "two"} {
		created := must(t, client, mirrors("containers"), newMirror("Container", "n", name))
		created.Object["status"] = map[string]any{"name": "name-" + name}
		if _, err := client.Resource(mirrors("containers")).Namespace("n").UpdateStatus(t.Context(), created, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	list, err := client.Resource(mirrors("containers")).List(t.Context(), metav1.ListOptions{FieldSelector: "status.name=name-two"})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Items) != 1 || list.Items[0].GetName() != "two" {
		t.Errorf("found %v", list.Items)
	}
}

// A list in pages, as kubectl requests it, is complete and in order.
func TestPaging(t *testing.T) {
	client := dynamicClient(t, controlplanetest.Start(t).RESTConfig())
	must(t, client, namespaces, newNamespace("n"))
	want := []string{"a", "b", "c", "d", "e"}
	for _, name := range want {
		must(t, client, mirrors("volumes"), newMirror("Volume", "n", name))
	}
	var got []string
	options := metav1.ListOptions{Limit: 2}
	for {
		page, err := client.Resource(mirrors("volumes")).Namespace("n").List(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			got = append(got, item.GetName())
		}
		if remaining := page.GetRemainingItemCount(); remaining != nil && *remaining != int64(len(want)-len(got)) {
			t.Errorf("remainingItemCount is %d after %v", *remaining, got)
		}
		if options.Continue = page.GetContinue(); options.Continue == "" {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

// Row E9: a namespace is deleted with its contents, after their finalizers are removed.
func TestNamespaceDeletion(t *testing.T) {
	opts := controlplanetest.Options(t)
	daemon := dynamicClient(t, controlplanetest.StartWith(t, opts).RESTConfig())
	user := dynamicClient(t, userConfig(t, opts))
	must(t, user, namespaces, newNamespace("full"))
	must(t, daemon, mirrors("images"), newMirror("Image", "full", "plain"))
	held := newMirror("Volume", "full", "held")
	held.SetFinalizers([]string{"example.com/held"})
	must(t, daemon, mirrors("volumes"), held)

	if err := user.Resource(namespaces).Delete(t.Context(), "full", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	testkit.EventuallyTrue(t, deadline, "what is in the namespace to go", func() bool {
		images, err := daemon.Resource(mirrors("images")).Namespace("full").List(t.Context(), metav1.ListOptions{})
		return err == nil && len(images.Items) == 0
	})
	if _, err := user.Resource(namespaces).Get(t.Context(), "full", metav1.GetOptions{}); err != nil {
		t.Fatalf("the namespace was removed before its contents: %v", err)
	}
	begin := time.Now()
	patchHeld := []byte(`{"metadata":{"finalizers":null}}`)
	if _, err := daemon.Resource(mirrors("volumes")).Namespace("full").Patch(t.Context(), "held", types.MergePatchType, patchHeld, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	testkit.EventuallyTrue(t, deadline, "the empty namespace to go", func() bool {
		_, err := user.Resource(namespaces).Get(t.Context(), "full", metav1.GetOptions{})
		return err != nil
	})
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("the removal of the empty namespace took %v", took)
	}
	// The namespace can be recreated.
	must(t, user, namespaces, newNamespace("full"))
}

// A foreground deletion completes without a garbage collector.
func TestForegroundDeletion(t *testing.T) {
	client := dynamicClient(t, controlplanetest.Start(t).RESTConfig())
	must(t, client, namespaces, newNamespace("n"))
	must(t, client, mirrors("images"), newMirror("Image", "n", "one"))
	foreground := metav1.DeletePropagationForeground
	if err := client.Resource(mirrors("images")).Namespace("n").Delete(t.Context(), "one", metav1.DeleteOptions{PropagationPolicy: &foreground}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Resource(mirrors("images")).Namespace("n").Get(t.Context(), "one", metav1.GetOptions{}); err == nil {
		t.Error("the object still exists")
	}
}

// A user creates a definition, uses it and deletes it.
func TestUserDefinitionLifecycle(t *testing.T) {
	if testing.Short() {
		t.Skip("the API server takes seven seconds for it")
	}
	opts := controlplanetest.Options(t)
	controlplanetest.StartWith(t, opts)
	client := dynamicClient(t, userConfig(t, opts))
	group := schema.GroupVersion{Group: "example.com", Version: "v1"}
	definition := object(schema.GroupVersion{Group: "apiextensions.k8s.io", Version: "v1"}, "CustomResourceDefinition", "", "things.example.com", map[string]any{
		"spec": map[string]any{
			"group": group.Group,
			"scope": "Cluster",
			"names": map[string]any{"plural": "things", "kind": "Thing"},
			"versions": []any{map[string]any{
				"name": group.Version, "served": true, "storage": true,
				"schema": map[string]any{"openAPIV3Schema": map[string]any{"type": "object"}},
			}},
		},
	})
	must(t, client, crds, definition)
	things := client.Resource(group.WithResource("things"))
	testkit.EventuallyTrue(t, deadline, "the new resource to be served", func() bool {
		_, err := things.Create(t.Context(), object(group, "Thing", "", "one", nil), metav1.CreateOptions{})
		return err == nil
	})
	legacy := kubeClient(t, userConfig(t, opts)).Discovery().WithLegacy()
	testkit.EventuallyTrue(t, deadline, "the new group to be listed", func() bool {
		groups, err := legacy.ServerGroups()
		return err == nil && slices.ContainsFunc(groups.Groups, func(g metav1.APIGroup) bool { return g.Name == group.Group })
	})
	if err := client.Resource(crds).Delete(t.Context(), "things.example.com", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	testkit.EventuallyTrue(t, deadline, "the removed group to go", func() bool {
		groups, err := legacy.ServerGroups()
		return err == nil && !slices.ContainsFunc(groups.Groups, func(g metav1.APIGroup) bool { return g.Name == group.Group })
	})
}

// A watch follows an object by both transports, resumes, and leaks nothing after it is
// cancelled.
func TestWatch(t *testing.T) {
	opts := controlplanetest.Options(t)
	server := controlplanetest.StartWith(t, opts)
	daemon := dynamicClient(t, server.RESTConfig())
	user := dynamicClient(t, userConfig(t, opts))
	app := must(t, daemon, apps(), newApp(nil))
	// A request that depends on the App's namespace makes the policies watch the App.
	// After it all goroutines are running.
	must(t, user, namespaces, newNamespace("x"))
	if err := user.Resource(namespaces).Delete(t.Context(), "x", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()

	for name, client := range map[string]interface {
		Watch(context.Context, metav1.ListOptions) (watch.Interface, error)
	}{"in process": daemon.Resource(apps()), "over TLS": user.Resource(apps())} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), deadline)
			defer cancel()
			current, err := daemon.Resource(apps()).Get(ctx, "app", metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			watcher, err := client.Watch(ctx, metav1.ListOptions{ResourceVersion: current.GetResourceVersion()})
			if err != nil {
				t.Fatal(err)
			}
			running, _, _ := unstructured.NestedBool(current.Object, "spec", "running")
			unstructured.SetNestedField(current.Object, !running, "spec", "running")
			if _, err := daemon.Resource(apps()).Update(ctx, current, metav1.UpdateOptions{}); err != nil {
				t.Fatal(err)
			}
			event := <-watcher.ResultChan()
			if event.Type != watch.Modified {
				t.Errorf("the event is %v", event)
			}
			cancel()
			for range watcher.ResultChan() {
			}
			// Resume from the first revision, as a client does after a lost connection.
			again, err := client.Watch(t.Context(), metav1.ListOptions{ResourceVersion: app.GetResourceVersion()})
			if err != nil {
				t.Fatal(err)
			}
			if event := <-again.ResultChan(); event.Type != watch.Modified {
				t.Errorf("the first event after resuming is %v", event)
			}
			again.Stop()
		})
	}
	// The client's TLS connection and the goroutines of both ends stay.
	const connection = 6
	testkit.EventuallyTrue(t, deadline, "the goroutines to end", func() bool { return runtime.NumGoroutine() <= before+connection })
}
