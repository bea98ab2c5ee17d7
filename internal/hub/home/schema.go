package home

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"sigs.k8s.io/yaml"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/api/crds"
)

// ownDefinition returns the definition of a kind that this program carries.
func ownDefinition(kind containersv1.Kind) (*apiextensionsv1.CustomResourceDefinition, error) {
	name := containersv1.GroupVersion.Group + "_" + resourceOf(kind) + ".yaml"
	raw, err := crds.FS.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read the definition of %s: %w", resourceOf(kind), err)
	}
	out := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.Unmarshal(raw, out); err != nil {
		return nil, fmt.Errorf("decode the definition of %s: %w", resourceOf(kind), err)
	}
	return out, nil
}

func schemaOf(definition *apiextensionsv1.CustomResourceDefinition) (*structuralschema.Structural, error) {
	for _, version := range definition.Spec.Versions {
		if version.Name != containersv1.GroupVersion.Version || version.Schema == nil || version.Schema.OpenAPIV3Schema == nil {
			continue
		}
		if !version.Served {
			return nil, fmt.Errorf("the hub no longer serves version %s of %s: update rdd on this machine", version.Name, definition.Name)
		}
		internal := &apiextensions.JSONSchemaProps{}
		if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(version.Schema.OpenAPIV3Schema, internal, nil); err != nil {
			return nil, fmt.Errorf("convert the schema of %s: %w", definition.Name, err)
		}
		out, err := structuralschema.NewStructural(internal)
		if err != nil {
			return nil, fmt.Errorf("read the schema of %s: %w", definition.Name, err)
		}
		return out, nil
	}
	return nil, fmt.Errorf("the definition of %s on the hub has no version %s: an administrator updates it with 'rdd hub install'", definition.Name, containersv1.GroupVersion.Version)
}

// missingFields returns the paths of the fields of ours that theirs does not store, in
// order.
func missingFields(ours, theirs *structuralschema.Structural, path string) []string {
	if ours == nil || theirs == nil || theirs.XPreserveUnknownFields {
		return nil
	}
	var missing []string
	for name, property := range ours.Properties {
		at := strings.TrimPrefix(path+"."+name, ".")
		if other, ok := theirs.Properties[name]; ok {
			missing = append(missing, missingFields(&property, &other, at)...)
		} else if theirs.AdditionalProperties == nil {
			missing = append(missing, at)
		}
	}
	missing = append(missing, missingFields(ours.Items, theirs.Items, path+"[]")...)
	if ours.AdditionalProperties != nil && theirs.AdditionalProperties != nil {
		missing = append(missing, missingFields(ours.AdditionalProperties.Structural, theirs.AdditionalProperties.Structural, path+"{}")...)
	}
	slices.Sort(missing)
	return missing
}

// hasDefaults reports whether a schema sets a field that was not sent.
func hasDefaults(s *structuralschema.Structural) bool {
	if s == nil {
		return false
	}
	if s.Default.Object != nil || hasDefaults(s.Items) || s.AdditionalProperties != nil && hasDefaults(s.AdditionalProperties.Structural) {
		return true
	}
	for _, property := range s.Properties {
		if hasDefaults(&property) {
			return true
		}
	}
	return false
}
