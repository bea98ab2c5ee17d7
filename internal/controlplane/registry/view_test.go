package registry_test

import (
	"maps"
	"slices"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/api/crds"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/registry"
)

// Views select by the fields of the definitions.
func TestSelectableFieldsMatchDefinitions(t *testing.T) {
	objects := map[string]runtime.Object{}
	for _, kind := range containersv1.Kinds() {
		objects[kind.GroupVersionResource().Resource] = containersv1.NewMirror(kind)
	}
	for _, kind := range containersv1.RequestKinds() {
		objects[kind.GroupVersionResource().Resource] = containersv1.NewRequest(kind)
	}
	for resource, obj := range objects {
		data, err := crds.FS.ReadFile(containersv1.GroupVersion.Group + "_" + resource + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		var crd apiextensionsv1.CustomResourceDefinition
		if err := yaml.Unmarshal(data, &crd); err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, field := range crd.Spec.Versions[0].SelectableFields {
			want = append(want, field.JSONPath[len("."):])
		}
		slices.Sort(want)
		if got := slices.Sorted(maps.Keys(registry.SelectableFields(obj))); !slices.Equal(got, want) {
			t.Errorf("%s: %q, the definition has %q", resource, got, want)
		}
	}
}
