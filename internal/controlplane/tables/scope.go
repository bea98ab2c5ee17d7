package tables

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apiserver/pkg/endpoints/handlers"
	"k8s.io/apiserver/pkg/registry/rest"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/registry"
)

// newScope returns what the handlers of the API server need to know of a resource. The
// objects need no conversion: the group has one version.
func newScope(gvr schema.GroupVersionResource, gvk schema.GroupVersionKind, empty runtime.Object, scheme *runtime.Scheme, tables rest.TableConvertor) *handlers.RequestScope {
	return &handlers.RequestScope{
		Namer:                    handlers.ContextBasedNaming{Namer: meta.NewAccessor()},
		Serializer:               serializer.NewCodecFactory(scheme),
		ParameterCodec:           runtime.NewParameterCodec(scheme),
		Creater:                  scheme, //nolint:misspell // a name of the API server
		Convertor:                selectable{scheme, empty},
		Defaulter:                scheme,
		Typer:                    scheme,
		UnsafeConvertor:          selectable{scheme, empty},
		EquivalentResourceMapper: runtime.NewEquivalentResourceRegistry(),
		TableConvertor:           tables,
		Resource:                 gvr,
		Kind:                     gvk,
		HubGroupVersion:          gvk.GroupVersion(),
		MetaGroupVersion:         metav1.SchemeGroupVersion,
	}
}

// selectable knows the fields of field selectors.
type selectable struct {
	*runtime.Scheme
	// empty is an empty object of the kind.
	empty runtime.Object
}

// ConvertFieldLabel implements [runtime.ObjectConvertor]. The error is the same as that of
// custom resources.
func (s selectable) ConvertFieldLabel(_ schema.GroupVersionKind, label, value string) (newLabel, newValue string, err error) {
	if label == "metadata.name" || label == "metadata.namespace" || registry.SelectableFields(s.empty).Has(label) {
		return label, value, nil
	}
	return "", "", fmt.Errorf("field label not supported: %s", label)
}
