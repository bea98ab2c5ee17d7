package v1alpha1

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Kind names one of the mirrored kinds.
type Kind string

// The mirrored kinds.
const (
	KindContainer          Kind = "Container"
	KindImage              Kind = "Image"
	KindVolume             Kind = "Volume"
	KindContainerNamespace Kind = "ContainerNamespace"
)

// Kinds lists every mirrored kind.
func Kinds() []Kind {
	return []Kind{KindContainerNamespace, KindContainer, KindImage, KindVolume}
}

// Mirror is what the mirrored kinds have in common.
// +kubebuilder:object:generate=false
type Mirror interface {
	metav1.Object
	runtime.Object

	// MirrorKind is set even when TypeMeta is not.
	MirrorKind() Kind
	// EngineID is the engine's own name for the object, as its API takes it: a
	// container's ID, an image's tag or else its ID, a volume's name.
	EngineID() string
	// MirrorConditions is nil for a kind that has none.
	MirrorConditions() *[]metav1.Condition
	// SetStatusFrom copies the status of another Mirror of the same kind. The
	// slices and maps in it are shared afterwards, and so must not be changed.
	SetStatusFrom(Mirror)
	// SameStatus compares the status with that of another Mirror of the same
	// kind, as the API server would: nil and empty are equal.
	SameStatus(Mirror) bool
	// CopyMirror is a deep copy.
	CopyMirror() Mirror
}

var (
	_ Mirror = (*Container)(nil)
	_ Mirror = (*Image)(nil)
	_ Mirror = (*Volume)(nil)
	_ Mirror = (*ContainerNamespace)(nil)
)

// MirrorKind implements Mirror.
func (*Container) MirrorKind() Kind { return KindContainer }

// MirrorKind implements Mirror.
func (*Image) MirrorKind() Kind { return KindImage }

// MirrorKind implements Mirror.
func (*Volume) MirrorKind() Kind { return KindVolume }

// MirrorKind implements Mirror.
func (*ContainerNamespace) MirrorKind() Kind { return KindContainerNamespace }

// EngineID implements Mirror.
func (c *Container) EngineID() string { return c.Name }

// EngineID implements Mirror.
func (i *Image) EngineID() string {
	if i.Status.RepoTag != "" {
		return i.Status.RepoTag
	}
	return i.Status.ID
}

// EngineID implements Mirror.
func (v *Volume) EngineID() string { return v.Status.Name }

// EngineID implements Mirror.
func (n *ContainerNamespace) EngineID() string { return n.Name }

// MirrorConditions implements Mirror.
func (c *Container) MirrorConditions() *[]metav1.Condition { return &c.Status.Conditions }

// MirrorConditions implements Mirror.
func (i *Image) MirrorConditions() *[]metav1.Condition { return &i.Status.Conditions }

// MirrorConditions implements Mirror.
func (v *Volume) MirrorConditions() *[]metav1.Condition { return &v.Status.Conditions }

// MirrorConditions implements Mirror.
func (*ContainerNamespace) MirrorConditions() *[]metav1.Condition { return nil }

// SetStatusFrom implements Mirror.
func (c *Container) SetStatusFrom(m Mirror) { c.Status = m.(*Container).Status }

// SetStatusFrom implements Mirror.
func (i *Image) SetStatusFrom(m Mirror) { i.Status = m.(*Image).Status }

// SetStatusFrom implements Mirror.
func (v *Volume) SetStatusFrom(m Mirror) { v.Status = m.(*Volume).Status }

// SetStatusFrom implements Mirror.
func (n *ContainerNamespace) SetStatusFrom(m Mirror) { n.Status = m.(*ContainerNamespace).Status }

// CopyMirror implements Mirror.
func (c *Container) CopyMirror() Mirror { return c.DeepCopy() }

// CopyMirror implements Mirror.
func (i *Image) CopyMirror() Mirror { return i.DeepCopy() }

// CopyMirror implements Mirror.
func (v *Volume) CopyMirror() Mirror { return v.DeepCopy() }

// CopyMirror implements Mirror.
func (n *ContainerNamespace) CopyMirror() Mirror { return n.DeepCopy() }

// SameStatus implements Mirror.
func (c *Container) SameStatus(m Mirror) bool {
	return equality.Semantic.DeepEqual(&c.Status, &m.(*Container).Status)
}

// SameStatus implements Mirror.
func (i *Image) SameStatus(m Mirror) bool {
	return equality.Semantic.DeepEqual(&i.Status, &m.(*Image).Status)
}

// SameStatus implements Mirror.
func (v *Volume) SameStatus(m Mirror) bool {
	return equality.Semantic.DeepEqual(&v.Status, &m.(*Volume).Status)
}

// SameStatus implements Mirror.
func (n *ContainerNamespace) SameStatus(m Mirror) bool {
	return equality.Semantic.DeepEqual(&n.Status, &m.(*ContainerNamespace).Status)
}

// NewMirror returns an empty Mirror of a kind, or nil for an unknown kind.
func NewMirror(kind Kind) Mirror {
	switch kind {
	case KindContainer:
		return &Container{}
	case KindImage:
		return &Image{}
	case KindVolume:
		return &Volume{}
	case KindContainerNamespace:
		return &ContainerNamespace{}
	default:
		return nil
	}
}

// NewMirrorList returns an empty list of a kind, or nil for an unknown kind.
func NewMirrorList(kind Kind) runtime.Object {
	switch kind {
	case KindContainer:
		return &ContainerList{}
	case KindImage:
		return &ImageList{}
	case KindVolume:
		return &VolumeList{}
	case KindContainerNamespace:
		return &ContainerNamespaceList{}
	default:
		return nil
	}
}

// GroupVersionKind is the kind's full name.
func (k Kind) GroupVersionKind() schema.GroupVersionKind { return GroupVersion.WithKind(string(k)) }

// GroupVersionResource is the name under which objects of the kind are served.
func (k Kind) GroupVersionResource() schema.GroupVersionResource {
	return GroupVersion.WithResource(strings.ToLower(string(k)) + "s")
}

// HasFinalizer is whether mirrors of this kind carry Finalizer.
func (k Kind) HasFinalizer() bool { return k != KindContainerNamespace }
