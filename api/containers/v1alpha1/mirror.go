package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Mirror is a resource that mirrors one object of the engine.
// +kubebuilder:object:generate=false
type Mirror interface {
	metav1.Object
	runtime.Object

	// MirrorKind returns the kind, also when TypeMeta is empty.
	MirrorKind() Kind
	// ObjectID returns the identifier of the object in the engine: the name of a
	// volume or a namespace, the ID of any other object.
	ObjectID() string
	// DisplayName returns what users call the object: the tag of an image, or its ID
	// if it has no tag, and the name of any other object.
	DisplayName() string
	// EngineLabels returns the labels of the object in the engine, which are part of the
	// status. It is nil for a kind without labels.
	EngineLabels() map[string]string
	// MirrorConditions returns nil for a kind that has no conditions.
	MirrorConditions() *[]metav1.Condition
	// SetStatusFrom copies the status of another Mirror of the same kind. The
	// slices and maps in it are shared afterwards, and must not be changed.
	SetStatusFrom(Mirror)
	// SameStatus reports whether the status equals that of another Mirror of the
	// same kind. As for the API server, nil and empty are equal.
	SameStatus(Mirror) bool
	// CopyMirror returns a deep copy.
	CopyMirror() Mirror
}

// FindCondition returns a condition of a mirror; nil if there is none of this type.
func FindCondition(m Mirror, conditionType string) *metav1.Condition {
	if m.MirrorConditions() == nil {
		return nil
	}
	return meta.FindStatusCondition(*m.MirrorConditions(), conditionType)
}
