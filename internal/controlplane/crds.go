package controlplane

import (
	"fmt"
	"io/fs"
	"maps"
	"time"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensionsapiserver "k8s.io/apiextensions-apiserver/pkg/apiserver"
	crdregistry "k8s.io/apiextensions-apiserver/pkg/registry/customresourcedefinition"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/registry/generic"

	"github.com/rancher-sandbox/rancher-desktop-daemon/api/crds"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/datastore"
)

// establishedAgo is how long ago a new definition claims to be established. The server
// delays the first object of a younger definition, because other API servers may not
// know it yet. Here there is only one API server.
const establishedAgo = 10 * time.Second

func crdStorage(store *datastore.Store) generic.RESTOptionsGetter {
	codec := apiextensionsapiserver.Codecs.LegacyCodec(apiextensionsv1.SchemeGroupVersion)
	return store.RESTOptions(codec, runtime.GroupVersioner(schema.GroupVersions{apiextensionsv1.SchemeGroupVersion}))
}

// crdDefinitions returns the definitions of rdd's resources.
func crdDefinitions(store *datastore.Store, files fs.FS) ([]definition, error) {
	registry, err := crdregistry.NewREST(apiextensionsapiserver.Scheme, crdStorage(store))
	if err != nil {
		return nil, err
	}
	paths, err := fs.Glob(files, "*.yaml")
	if err != nil {
		return nil, err
	}
	var result []definition
	for _, path := range paths {
		crd, err := decodeCRD(files, path)
		if err != nil {
			return nil, fmt.Errorf("read the resource definition %s: %w", path, err)
		}
		result = append(result, definition{
			registry: registry.Store,
			desired:  crd,
			overlay:  overlayCRD,
			finish:   establish,
		})
	}
	return result, nil
}

// embeddedCRDs returns the embedded files of the definitions.
func embeddedCRDs() fs.FS { return crds.FS }

func decodeCRD(files fs.FS, path string) (*apiextensions.CustomResourceDefinition, error) {
	data, err := fs.ReadFile(files, path)
	if err != nil {
		return nil, err
	}
	object, err := runtime.Decode(apiextensionsapiserver.Codecs.UniversalDecoder(apiextensions.SchemeGroupVersion), data)
	if err != nil {
		return nil, err
	}
	crd, ok := object.(*apiextensions.CustomResourceDefinition)
	if !ok {
		return nil, fmt.Errorf("the file has a %T", object)
	}
	crd.Labels = mergeInto(crd.Labels, map[string]string{managedByLabel: managedByRDD})
	return crd, nil
}

func overlayCRD(existing, desired runtime.Object) {
	to, from := existing.(*apiextensions.CustomResourceDefinition), desired.(*apiextensions.CustomResourceDefinition)
	to.Spec = *from.Spec.DeepCopy()
	to.Labels = mergeInto(to.Labels, from.Labels)
	to.Annotations = mergeInto(to.Annotations, from.Annotations)
}

func mergeInto(existing, desired map[string]string) map[string]string {
	if existing == nil && len(desired) > 0 {
		existing = map[string]string{}
	}
	maps.Copy(existing, desired)
	return existing
}

// establish sets the status that the API server's controllers would set later: the
// names are accepted, and the resource is served.
func establish(object runtime.Object) {
	crd := object.(*apiextensions.CustomResourceDefinition)
	crd.Status.AcceptedNames = *crd.Spec.Names.DeepCopy()
	since := metav1.NewTime(time.Now().Add(-establishedAgo))
	setCRDCondition(crd, apiextensions.NamesAccepted, since, "NoConflicts", "no conflicts found")
	setCRDCondition(crd, apiextensions.Established, since, "InitialNamesAccepted", "the initial names have been accepted")
}

func setCRDCondition(crd *apiextensions.CustomResourceDefinition, kind apiextensions.CustomResourceDefinitionConditionType, since metav1.Time, reason, message string) {
	wanted := apiextensions.CustomResourceDefinitionCondition{
		Type:               kind,
		Status:             apiextensions.ConditionTrue,
		LastTransitionTime: since,
		Reason:             reason,
		Message:            message,
	}
	for i := range crd.Status.Conditions {
		if condition := &crd.Status.Conditions[i]; condition.Type == kind {
			if condition.Status != wanted.Status {
				*condition = wanted
			}
			return
		}
	}
	crd.Status.Conditions = append(crd.Status.Conditions, wanted)
}
