package controlplane

import (
	"context"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/endpoints/request"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/datastore"
)

func testStore(t *testing.T) *datastore.Store {
	t.Helper()
	store, err := datastore.Open(t.Context(), t.TempDir(), filepath.Join(t.TempDir(), "revision"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return store
}

// allDefinitions returns all definitions of the program.
func allDefinitions(t *testing.T, store *datastore.Store) (*coreAPI, []definition) {
	t.Helper()
	api, err := newCoreAPI(store, store, &permissions{}, (&admissionChain{}).params())
	if err != nil {
		t.Fatal(err)
	}
	crds, err := crdDefinitions(store, embeddedCRDs())
	if err != nil {
		t.Fatal(err)
	}
	policies, err := policyDefinitions(api, embeddedPolicies())
	if err != nil {
		t.Fatal(err)
	}
	if len(crds) == 0 || len(policies) == 0 {
		t.Fatal("the program has no definitions")
	}
	return api, append(crds, policies...)
}

// The definitions pass the validation that a start skips.
func TestDefinitionsAreValid(t *testing.T) {
	_, definitions := allDefinitions(t, testStore(t))
	// The validation of policies needs the user who may read their parameters.
	ctx := request.WithUser(t.Context(), privileged(DaemonUser))
	for _, definition := range definitions {
		object := definition.desired.DeepCopyObject()
		definition.registry.CreateStrategy.PrepareForCreate(ctx, object)
		if definition.finish != nil {
			definition.finish(object)
		}
		for _, err := range definition.registry.CreateStrategy.Validate(ctx, object) {
			t.Errorf("%T: %v", object, err)
		}
	}
}

// A second ensure of unchanged definitions writes nothing.
func TestEnsureWritesDefinitionsOnce(t *testing.T) {
	store := testStore(t)
	api, definitions := allDefinitions(t, store)
	for i, want := range []bool{true, false} {
		for _, definition := range definitions {
			written, err := definition.ensure(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if written != want {
				t.Errorf("round %d wrote %T: %v", i, definition.desired, written)
			}
		}
	}
	// A later version has fewer policies.
	if err := api.prunePolicies(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for _, definition := range definitions[len(definitions)-2:] {
		if written, err := definition.ensure(t.Context()); err != nil || !written {
			t.Errorf("an outdated policy was not deleted (%v)", err)
		}
	}
}

// A changed definition is updated and keeps its UID and its objects.
func TestEnsureUpgradesDefinition(t *testing.T) {
	store := testStore(t)
	const file = "app.rancherdesktop.io_apps.yaml"
	ensureApp := func(change func(string) string) *apiextensions.CustomResourceDefinition {
		data, err := fs.ReadFile(embeddedCRDs(), file)
		if err != nil {
			t.Fatal(err)
		}
		changed := change(string(data))
		definitions, err := crdDefinitions(store, fstest.MapFS{file: {Data: []byte(changed)}})
		if err != nil {
			t.Fatal(err)
		}
		if written, err := definitions[0].ensure(t.Context()); err != nil || !written {
			t.Fatalf("written: %v, %v", written, err)
		}
		stored, err := definitions[0].registry.Get(t.Context(), "apps.app.rancherdesktop.io", &metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return stored.(*apiextensions.CustomResourceDefinition)
	}
	old := ensureApp(func(data string) string { return data })
	upgraded := ensureApp(func(data string) string {
		return strings.ReplaceAll(data, "singular: app", "shortNames: [a]\n    singular: app")
	})
	if upgraded.UID != old.UID || upgraded.Generation != old.Generation+1 {
		t.Errorf("UID %s to %s, generation %d to %d", old.UID, upgraded.UID, old.Generation, upgraded.Generation)
	}
	if names := upgraded.Status.AcceptedNames.ShortNames; len(names) != 1 {
		t.Errorf("the accepted short names are %v", names)
	}
	if !apiextensions.IsCRDConditionTrue(upgraded, apiextensions.Established) {
		t.Error("the definition is no longer established")
	}
}

func TestForeignObjectRefused(t *testing.T) {
	_, err := crdDefinitions(testStore(t), fstest.MapFS{"x.yaml": {Data: []byte("apiVersion: v1\nkind: Pod\n")}})
	if err == nil || !strings.Contains(err.Error(), "x.yaml") {
		t.Errorf("the error is %v", err)
	}
}

// The policy that protects the definitions has the group of each of them, and knows them
// by their label.
func TestPolicyProtectsOwnDefinitions(t *testing.T) {
	text, err := fs.ReadFile(embeddedPolicies(), "rdd-definitions.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, definitions := allDefinitions(t, testStore(t))
	for _, definition := range definitions {
		crd, ok := definition.desired.(*apiextensions.CustomResourceDefinition)
		if ok && !strings.Contains(string(text), "'"+crd.Spec.Group+"'") {
			t.Errorf("rdd-definitions does not protect the group %s", crd.Spec.Group)
		}
		if ok && crd.Labels[managedByLabel] != managedByRDD {
			t.Errorf("users can delete %s, which has the labels %v", crd.Name, crd.Labels)
		}
	}
}
