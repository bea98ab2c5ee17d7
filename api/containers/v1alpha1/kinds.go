package v1alpha1

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Kind names one of the mirrored kinds.
type Kind string

// The mirrored kinds.
const (
	KindContainerNamespace Kind = "ContainerNamespace"
	KindContainer          Kind = "Container"
	KindImage              Kind = "Image"
	KindVolume             Kind = "Volume"
	KindNetwork            Kind = "Network"
)

// kindRow is what rdd must know of a mirrored kind beside its Go type.
type kindRow struct {
	kind Kind
	// object and list return empty ones.
	object func() Mirror
	list   func() runtime.Object
	// namePrefix begins the name of a resource, and a hash of the engine's
	// identifier follows. Empty: the name is the engine's identifier.
	namePrefix string
	// hasFinalizer is true when deleting a resource removes the engine's object.
	hasFinalizer bool
	// unblockedBy is the kind of the objects on whose account the engine may refuse
	// a request about an object of this kind. The request is retried when one of
	// them is removed.
	unblockedBy Kind
	// isUnblockedByStop is true when the request can also succeed after one of them has
	// stopped or has left a network.
	isUnblockedByStop bool
	// predefined are the names of the objects that every engine has, and refuses to
	// remove.
	predefined []string
}

// kindTable returns one row for each mirrored kind, in the order in which rdd
// lists kinds.
func kindTable() []kindRow {
	return []kindRow{
		{
			kind: KindContainerNamespace, namePrefix: "",
			object: func() Mirror { return &ContainerNamespace{} }, list: func() runtime.Object { return &ContainerNamespaceList{} },
		},
		{
			kind: KindContainer, namePrefix: "", hasFinalizer: true, unblockedBy: KindContainer, isUnblockedByStop: true,
			object: func() Mirror { return &Container{} }, list: func() runtime.Object { return &ContainerList{} },
		},
		{
			kind: KindImage, namePrefix: "img-", hasFinalizer: true, unblockedBy: KindContainer,
			object: func() Mirror { return &Image{} }, list: func() runtime.Object { return &ImageList{} },
		},
		{
			kind: KindVolume, namePrefix: "vol-", hasFinalizer: true, unblockedBy: KindContainer,
			object: func() Mirror { return &Volume{} }, list: func() runtime.Object { return &VolumeList{} },
		},
		{
			kind: KindNetwork, namePrefix: "net-", hasFinalizer: true, unblockedBy: KindContainer, isUnblockedByStop: true,
			predefined: []string{"bridge", "host", "none"},
			object:     func() Mirror { return &Network{} }, list: func() runtime.Object { return &NetworkList{} },
		},
	}
}

// row returns the row of a kind, and an empty row for an unknown kind.
func (k Kind) row() kindRow {
	for _, row := range kindTable() {
		if row.kind == k {
			return row
		}
	}
	return kindRow{}
}

// Kinds returns every mirrored kind.
func Kinds() []Kind {
	table := kindTable()
	kinds := make([]Kind, len(table))
	for i, row := range table {
		kinds[i] = row.kind
	}
	return kinds
}

// NewMirror returns an empty Mirror of a kind, or nil for an unknown kind.
func NewMirror(kind Kind) Mirror {
	if row := kind.row(); row.object != nil {
		return row.object()
	}
	return nil
}

// NewMirrorList returns an empty list of a kind, or nil for an unknown kind.
func NewMirrorList(kind Kind) runtime.Object {
	if row := kind.row(); row.list != nil {
		return row.list()
	}
	return nil
}

// GroupVersionKind returns the full name of the kind.
func (k Kind) GroupVersionKind() schema.GroupVersionKind { return GroupVersion.WithKind(string(k)) }

// GroupVersionResource returns the resource that serves objects of the kind.
func (k Kind) GroupVersionResource() schema.GroupVersionResource {
	return GroupVersion.WithResource(strings.ToLower(string(k)) + "s")
}

// HasFinalizer reports whether mirrors of the kind carry Finalizer.
func (k Kind) HasFinalizer() bool { return k.row().hasFinalizer }

// IsUnblockedBy reports whether the engine may do what it refused for an object of
// this kind after the removal of an object of another kind.
func (k Kind) IsUnblockedBy(removed Kind) bool { return k.row().unblockedBy == removed }

// IsUnblockedByStop reports whether the engine may do what it refused for an object of
// this kind after a container has stopped or has left a network.
func (k Kind) IsUnblockedByStop() bool { return k.row().isUnblockedByStop }

// IsPredefined reports whether m mirrors an object that every engine has, and refuses to
// remove.
func IsPredefined(m Mirror) bool {
	return slices.Contains(m.MirrorKind().row().predefined, m.DisplayName())
}

// ResourceName returns the name of the resource that mirrors the object with this
// identifier in the engine. Identifiers may hold what a Kubernetes name may not.
func (k Kind) ResourceName(id string) string {
	if prefix := k.row().namePrefix; prefix != "" {
		return prefix + hexSHA256(id)
	}
	return id
}
