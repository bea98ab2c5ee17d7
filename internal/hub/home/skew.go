package home

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/api/crds"
)

// Skew is what the definitions on a hub do not store of the mirrors, because they are
// older than this program. The API server drops such fields without an error, so a mirror
// that was compared with what it sent would be written again and again.
type Skew struct {
	kinds map[containersv1.Kind]*structuralschema.Structural
	// missing are the fields, such as "containers: status.health".
	missing []string
}

// Skew compares the definitions on the hub with those of this program. If the machine may
// not read them, it assumes that they are equal.
func (h *Home) Skew(ctx context.Context) (*Skew, error) {
	s := &Skew{kinds: map[containersv1.Kind]*structuralschema.Structural{}}
	for _, kind := range containersv1.Kinds() {
		theirs := &apiextensionsv1.CustomResourceDefinition{}
		err := h.direct.Get(ctx, client.ObjectKey{Name: definitionOf(kind)}, theirs)
		if apierrors.IsForbidden(err) {
			return &Skew{}, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the definition of %s on the hub: %w: an administrator installs it with 'rdd hub install'", resourceOf(kind), err)
		}
		ours, err := ownDefinition(kind)
		if err != nil {
			return nil, err
		}
		if err := s.compare(kind, ours, theirs); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Skew) compare(kind containersv1.Kind, ours, theirs *apiextensionsv1.CustomResourceDefinition) error {
	own, err := schemaOf(ours)
	if err != nil {
		return err
	}
	stored, err := schemaOf(theirs)
	if err != nil {
		return err
	}
	missing := missingFields(own, stored, "")
	if len(missing) == 0 {
		return nil
	}
	s.kinds[kind] = stored
	for _, field := range missing {
		s.missing = append(s.missing, resourceOf(kind)+": "+field)
	}
	return nil
}

// Message says for users what is not stored; it is empty if everything is.
func (s *Skew) Message() string {
	if s == nil || len(s.missing) == 0 {
		return ""
	}
	const most = 5
	shown := s.missing[:min(len(s.missing), most)]
	more := ""
	if n := len(s.missing) - len(shown); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("the definitions on the hub are older than this rdd and do not store %s%s: an administrator updates them with 'rdd hub install'",
		strings.Join(shown, ", "), more)
}

// Storable returns the part of a mirror that the hub stores. It may return its argument.
func (s *Skew) Storable(m containersv1.Mirror) containersv1.Mirror {
	if s == nil || s.kinds[m.MirrorKind()] == nil {
		return m
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(m)
	if err != nil {
		return m
	}
	pruning.Prune(fields, s.kinds[m.MirrorKind()], true)
	out := containersv1.NewMirror(m.MirrorKind())
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(fields, out); err != nil {
		return m
	}
	return out
}

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
		if version.Name != containersv1.GroupVersion.Version || version.Schema == nil {
			continue
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
