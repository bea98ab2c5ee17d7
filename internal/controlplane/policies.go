package controlplane

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/yaml"
	genericregistry "k8s.io/apiserver/pkg/registry/generic/registry"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/apis/admissionregistration"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/policies"
)

// managedByLabel marks rdd's own policies and definitions of resources. An outdated policy
// is deleted by this label, and a user's is kept. Users cannot delete a definition that
// has it.
const (
	managedByLabel = "app.kubernetes.io/managed-by"
	managedByRDD   = "rdd"
)

// embeddedPolicies returns the embedded files of the policies.
func embeddedPolicies() fs.FS { return policies.Files }

// policyDefinitions returns the policies and their bindings.
func policyDefinitions(api *coreAPI, files fs.FS) ([]definition, error) {
	paths, err := fs.Glob(files, "*.yaml")
	if err != nil {
		return nil, err
	}
	var result []definition
	for _, path := range paths {
		data, err := fs.ReadFile(files, path)
		if err != nil {
			return nil, err
		}
		objects, err := decodePolicies(data)
		if err != nil {
			return nil, fmt.Errorf("read the admission policy %s: %w", path, err)
		}
		for _, object := range objects {
			definition, err := api.policyDefinition(object)
			if err != nil {
				return nil, fmt.Errorf("read the admission policy %s: %w", path, err)
			}
			result = append(result, definition)
		}
	}
	return result, nil
}

func decodePolicies(data []byte) ([]runtime.Object, error) {
	decoder := legacyscheme.Codecs.UniversalDecoder(admissionregistration.SchemeGroupVersion)
	reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	var result []runtime.Object
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return result, nil
		}
		if err != nil {
			return nil, err
		}
		object, err := runtime.Decode(decoder, document)
		if err != nil {
			return nil, err
		}
		accessor, err := meta.Accessor(object)
		if err != nil {
			return nil, err
		}
		accessor.SetLabels(map[string]string{managedByLabel: managedByRDD})
		result = append(result, object)
	}
}

func (api *coreAPI) policyDefinition(object runtime.Object) (definition, error) {
	switch object.(type) {
	case *admissionregistration.ValidatingAdmissionPolicy:
		return definition{registry: api.policies.Store, desired: object, overlay: func(existing, desired runtime.Object) {
			to, from := existing.(*admissionregistration.ValidatingAdmissionPolicy), desired.(*admissionregistration.ValidatingAdmissionPolicy)
			to.Spec = *from.Spec.DeepCopy()
			to.Labels = mergeInto(to.Labels, from.Labels)
		}}, nil
	case *admissionregistration.ValidatingAdmissionPolicyBinding:
		return definition{registry: api.bindings.Store, desired: object, overlay: func(existing, desired runtime.Object) {
			to, from := existing.(*admissionregistration.ValidatingAdmissionPolicyBinding), desired.(*admissionregistration.ValidatingAdmissionPolicyBinding)
			to.Spec = *from.Spec.DeepCopy()
			to.Labels = mergeInto(to.Labels, from.Labels)
		}}, nil
	default:
		return definition{}, fmt.Errorf("the file has a %T", object)
	}
}

// prunePolicies deletes rdd's policies that this version no longer has.
func (api *coreAPI) prunePolicies(ctx context.Context, wanted []definition) error {
	for _, registry := range []*genericregistry.Store{api.policies.Store, api.bindings.Store} {
		names := sets.New[string]()
		for _, definition := range wanted {
			if definition.registry == registry {
				accessor, err := meta.Accessor(definition.desired)
				if err != nil {
					return err
				}
				names.Insert(accessor.GetName())
			}
		}
		if err := prune(ctx, registry, names); err != nil {
			return fmt.Errorf("delete outdated admission policies: %w", err)
		}
	}
	return nil
}

func prune(ctx context.Context, registry *genericregistry.Store, wanted sets.Set[string]) error {
	list := registry.NewListFunc()
	options := storage.ListOptions{Predicate: storage.Everything, Recursive: true}
	if err := registry.Storage.GetList(ctx, registry.KeyRootFunc(ctx), options, list); err != nil {
		return err
	}
	return meta.EachListItem(list, func(object runtime.Object) error {
		accessor, err := meta.Accessor(object)
		if err != nil || accessor.GetLabels()[managedByLabel] != managedByRDD || wanted.Has(accessor.GetName()) {
			return err
		}
		_, _, err = registry.Delete(ctx, accessor.GetName(), func(context.Context, runtime.Object) error { return nil }, &metav1.DeleteOptions{})
		return err
	})
}
