package install

import (
	"fmt"
	"io/fs"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/api/crds"
	hubcrds "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/crds"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
)

// machinesCRD is the name of the definition of Machines.
const machinesCRD = "machines.hub.rancherdesktop.io"

// definitions returns the definitions of the resources of a hub: the mirrors, the
// requests and the machines. The App of a machine is not on the hub.
func definitions() ([]*unstructured.Unstructured, error) {
	groups := []string{containersv1.GroupVersion.Group, hubv1.GroupVersion.Group}
	var all []*unstructured.Unstructured
	for _, files := range []fs.FS{crds.FS, hubcrds.FS} {
		paths, err := fs.Glob(files, "*.yaml")
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			crd, err := readDefinition(files, path)
			if err != nil {
				return nil, fmt.Errorf("read the resource definition %s: %w", path, err)
			}
			group, _, err := unstructured.NestedString(crd.Object, "spec", "group")
			if err != nil {
				return nil, fmt.Errorf("read the resource definition %s: %w", path, err)
			}
			if slices.Contains(groups, group) {
				all = append(all, crd)
			}
		}
	}
	return all, nil
}

func readDefinition(files fs.FS, path string) (*unstructured.Unstructured, error) {
	text, err := fs.ReadFile(files, path)
	if err != nil {
		return nil, err
	}
	crd := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(text, &crd.Object); err != nil {
		return nil, err
	}
	if crd.GroupVersionKind().GroupKind() != crdKind() {
		return nil, fmt.Errorf("the file has a %s", crd.GetKind())
	}
	unstructured.RemoveNestedField(crd.Object, "status")
	unstructured.RemoveNestedField(crd.Object, "metadata", "creationTimestamp")
	return crd, nil
}

// definitionNames returns the names of the definitions of a hub.
func definitionNames() []string {
	names := []string{machinesCRD}
	for _, kind := range containersv1.Kinds() {
		names = append(names, kind.GroupVersionResource().GroupResource().String())
	}
	for _, kind := range containersv1.RequestKinds() {
		names = append(names, kind.GroupVersionResource().GroupResource().String())
	}
	slices.Sort(names)
	return names
}
