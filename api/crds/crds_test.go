package crds

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	hubcrds "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/crds"
)

// definitions returns the definitions of the program, with those that only a hub has.
func definitions(t *testing.T) []apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	return append(definitionsIn(t, FS), definitionsIn(t, hubcrds.FS)...)
}

func definitionsIn(t *testing.T, files fs.FS) []apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	names, err := fs.Glob(files, "*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("definitions %v: %v", names, err)
	}
	var all []apiextensionsv1.CustomResourceDefinition
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		var definition apiextensionsv1.CustomResourceDefinition
		if err := yaml.UnmarshalStrict(text, &definition); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, definition)
	}
	return all
}

// kubectl explain shows these descriptions. The API server describes the metadata.
func TestEachFieldHasDescription(t *testing.T) {
	for _, definition := range definitions(t) {
		for _, version := range definition.Spec.Versions {
			schema := version.Schema.OpenAPIV3Schema
			if schema.Description == "" {
				t.Errorf("%s has no description", definition.Name)
			}
			checkDescriptions(t, definition.Spec.Names.Kind, schema)
		}
	}
}

func checkDescriptions(t *testing.T, path string, schema *apiextensionsv1.JSONSchemaProps) {
	t.Helper()
	for name, property := range schema.Properties {
		at := path + "." + name
		if isMetadata := strings.Count(at, ".") == 1 && name == "metadata"; property.Description == "" && !isMetadata {
			t.Errorf("%s has no description", at)
		}
		checkDescriptions(t, at, &property)
	}
	if schema.Items != nil && schema.Items.Schema != nil {
		checkDescriptions(t, path+"[]", schema.Items.Schema)
	}
	if schema.AdditionalProperties != nil && schema.AdditionalProperties.Schema != nil {
		checkDescriptions(t, path+"[*]", schema.AdditionalProperties.Schema)
	}
}

// knownNames are the plural, singular and short names of the kinds of Kubernetes, and
// of controllers that many clusters have. A kubectl user expects those kinds.
func knownNames() []string {
	return strings.Fields(`
		bindings componentstatuses cs configmaps cm endpoints ep events ev limitranges limits namespaces ns nodes no
		persistentvolumeclaims pvc persistentvolumes pv pods po podtemplates replicationcontrollers rc resourcequotas quota
		secrets serviceaccounts sa services svc customresourcedefinitions crd crds apiservices controllerrevisions daemonsets ds
		deployments deploy replicasets rs statefulsets sts horizontalpodautoscalers hpa cronjobs cj jobs
		certificatesigningrequests csr leases endpointslices ingressclasses ingresses ing networkpolicies netpol
		runtimeclasses poddisruptionbudgets pdb priorityclasses pc csidrivers csinodes csistoragecapacities storageclasses sc
		volumeattachments volumeattributesclasses vac clusterroles clusterrolebindings roles rolebindings
		servicecidrs ipaddresses ip deviceclasses resourceclaims resourceclaimtemplates resourceslices podsecuritypolicies psp
		vs vsclass vsc gtw gw gwcl hr httproute cert certs cr crs app appproj appset ks hr helmrelease gitrepo
		vm vms vmi vmis dv cdi volsnap certificate issuer ma md ms mp mhc kcp cl`)
}

// Each kind is in the category rdd and has short names of its own.
func TestShortNamesAndCategory(t *testing.T) {
	owners := map[string]string{}
	for _, definition := range definitions(t) {
		names := definition.Spec.Names
		if !slices.Contains(names.Categories, "rdd") {
			t.Errorf("%s is not in the category rdd: add +kubebuilder:resource:categories=rdd", names.Kind)
		}
		for _, name := range append(names.ShortNames, names.Plural, names.Singular) {
			if other, ok := owners[name]; ok {
				t.Errorf("%s and %s are both called %s", names.Kind, other, name)
			}
			owners[name] = names.Kind
		}
		for _, name := range names.ShortNames {
			if slices.Contains(knownNames(), name) {
				t.Errorf("the short name %s of %s is known for another kind", name, names.Kind)
			}
		}
		if names.Kind != "App" && len(names.ShortNames) == 0 {
			t.Errorf("%s has no short name", names.Kind)
		}
	}
}

// A daemon's own API server has no machines, and a hub no App.
func TestHubKindsAreApart(t *testing.T) {
	for _, test := range []struct {
		files fs.FS
		isHub bool
	}{{FS, false}, {hubcrds.FS, true}} {
		for _, definition := range definitionsIn(t, test.files) {
			if isHub := definition.Spec.Group == "hub.rancherdesktop.io"; isHub != test.isHub {
				t.Errorf("the definition %s is in the wrong directory: see 'make generate'", definition.Name)
			}
		}
	}
}
