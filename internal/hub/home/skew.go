package home

import (
	"context"
	"fmt"
	"maps"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// Skew is what the definitions on a hub store of the mirrors, if that is not what this
// program writes. The API server drops fields that an older definition lacks, and adds the
// defaults of a newer one, without an error. So a mirror that was compared with what it sent
// would be written again and again.
type Skew struct {
	// kinds has the schemas of the kinds that are stored in another way.
	kinds map[containersv1.Kind]*structuralschema.Structural
	// missing are the fields that are not stored, such as "containers: status.health".
	missing []string
	// versions has the UID and the generation of the namespace and of each definition.
	versions map[string]string
	// isGoing is set if one of them is being deleted.
	isGoing bool
}

// Skew compares the definitions on the hub with those of this program. If the machine may
// not read them, it assumes that they are equal. The error is one of the API server's, and a
// NotFound if there is no namespace or no definition.
func (h *Home) Skew(ctx context.Context) (*Skew, error) {
	s := &Skew{kinds: map[containersv1.Kind]*structuralschema.Structural{}, versions: map[string]string{}}
	namespace := &corev1.Namespace{}
	switch err := h.direct.Get(ctx, client.ObjectKey{Name: h.namespace}, namespace); {
	case apierrors.IsNotFound(err):
		return nil, fmt.Errorf("read the namespace of this machine on the hub: %w: an administrator adds the machine with 'rdd hub add %s'", err, h.namespace)
	case apierrors.IsForbidden(err):
	case err != nil:
		return nil, fmt.Errorf("read the namespace of this machine on the hub: %w", err)
	default:
		s.read(namespace)
	}
	for _, kind := range containersv1.Kinds() {
		theirs := &apiextensionsv1.CustomResourceDefinition{}
		err := h.direct.Get(ctx, client.ObjectKey{Name: definitionOf(kind)}, theirs)
		if apierrors.IsForbidden(err) {
			return &Skew{versions: s.versions}, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the definition of %s on the hub: %w: an administrator installs it with 'rdd hub install'", resourceOf(kind), err)
		}
		s.read(theirs)
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

// read records the version of an object.
func (s *Skew) read(obj client.Object) {
	s.versions[obj.GetName()] = fmt.Sprintf("%s/%d", obj.GetUID(), obj.GetGeneration())
	s.isGoing = s.isGoing || obj.GetDeletionTimestamp() != nil
}

// Equal reports whether two results are of the same definitions and the same namespace.
func (s *Skew) Equal(other *Skew) bool {
	return s != nil && other != nil && maps.Equal(s.versions, other.versions)
}

// IsGoing reports whether a definition or the namespace is being deleted.
func (s *Skew) IsGoing() bool { return s != nil && s.isGoing }

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
	status := stored.Properties["status"]
	if len(missing) == 0 && !hasDefaults(&status) {
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

// Storable returns a mirror as the hub stores it: without the fields that it drops, and
// with its defaults. It may return its argument.
func (s *Skew) Storable(m containersv1.Mirror) containersv1.Mirror {
	if s == nil || s.kinds[m.MirrorKind()] == nil {
		return m
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(m)
	if err != nil {
		return m
	}
	pruning.Prune(fields, s.kinds[m.MirrorKind()], true)
	defaulting.Default(fields, s.kinds[m.MirrorKind()])
	out := containersv1.NewMirror(m.MirrorKind())
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(fields, out); err != nil {
		return m
	}
	return out
}
