package hub

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/rancher-sandbox/rancher-desktop-daemon/api/crds"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
)

// refusesCreates returns the error of a create while there is no namespace, or no longer one.
// The caller holds the lock.
func (h *Hub) refusesCreates(resource schema.GroupResource) error {
	if h.phase == missing {
		return apierrors.NewNotFound(corev1.Resource("namespaces"), Machine)
	}
	return apierrors.NewForbidden(resource, "", fmt.Errorf("unable to create new content in namespace %s because it is being terminated", Machine))
}

// serveNamespace serves the namespace of the machine.
func (h *Hub) serveNamespace(request) (any, error) {
	ns := &corev1.Namespace{TypeMeta: metav1.TypeMeta{Kind: "Namespace", APIVersion: "v1"}}
	ns.Name = Machine
	var is phase
	h.with(func() { is = h.phase })
	switch is {
	case missing:
		return nil, apierrors.NewNotFound(corev1.Resource("namespaces"), Machine)
	case terminating:
		now := metav1.Now()
		ns.DeletionTimestamp, ns.Status.Phase = &now, corev1.NamespaceTerminating
	case active:
	}
	return ns, nil
}

// definitions returns the definitions in JSON, by name.
var definitions = sync.OnceValue(func() map[string]json.RawMessage { //nolint:gochecknoglobals // read once for all runs
	out := map[string]json.RawMessage{}
	files, err := crds.FS.ReadDir(".")
	if err != nil {
		panic(err)
	}
	for _, file := range files {
		content, err := crds.FS.ReadFile(file.Name())
		if err != nil {
			panic(err)
		}
		raw, err := yaml.YAMLToJSON(content)
		if err != nil {
			panic(err)
		}
		group, resource, _ := strings.Cut(strings.TrimSuffix(file.Name(), ".yaml"), "_")
		out[resource+"."+group] = raw
	}
	return out
})

// serveDefinition serves a definition, whole or without its schema.
func (h *Hub) serveDefinition(r request) (any, error) {
	if !r.isPartial && !h.isReadable {
		return nil, apierrors.NewForbidden(schema.GroupResource{Resource: "customresourcedefinitions"}, r.name, fmt.Errorf("User %q cannot get it", Identity)) //nolint:staticcheck // the words of Kubernetes
	}
	raw, ok := definitions()[r.name]
	switch {
	case !ok:
		return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "customresourcedefinitions"}, r.name)
	case r.isPartial:
		out := &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{Kind: "PartialObjectMetadata", APIVersion: "meta.k8s.io/v1"}}
		out.Name = r.name
		return out, nil
	}
	return raw, nil
}

// serveMachine serves the Machine.
func (h *Hub) serveMachine(r request) (any, error) {
	out := &hubv1.Machine{TypeMeta: metav1.TypeMeta{Kind: "Machine", APIVersion: hubv1.GroupVersion.String()}}
	out.Name = Machine
	wants := &hubv1.Machine{}
	if err := r.decode(wants); err != nil {
		return nil, err
	}
	isChanged := false
	h.with(func() {
		if r.verb == update && !reflect.DeepEqual(h.status, wants.Status) {
			h.status, isChanged = wants.Status, true
		}
		h.status.DeepCopyInto(&out.Status)
	})
	if isChanged {
		h.witness.Written()
	}
	return out, nil
}
