package messages

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// MirrorChanged says what a mirror resource is now in the API server.
type MirrorChanged struct {
	// Object must not be changed: it is the informer's own copy.
	Object containersv1.Mirror
}

// MirrorRemoved says that a mirror resource has left the API server.
type MirrorRemoved struct {
	Kind containersv1.Kind
	Name string
	UID  types.UID
}

// EngineLost tells a mirror that its engine is gone for good: the resource
// goes, with no call to the engine.
type EngineLost struct{}

// RetryNow tells a mirror whose wish the engine refused that something
// happened which makes success likely.
type RetryNow struct{}

// MirrorSettled says that the resource equals the engine's object, or why it
// cannot be made equal for now.
type MirrorSettled struct {
	Kind containersv1.Kind
	Name string
	// AsOf of the ObjectSeen that is mirrored now.
	AsOf time.Time
	// Err is nil when the resource equals the object.
	Err error
	// Refused is set while the engine refuses the user's wish.
	Refused bool
}

// MirrorRead says what the mirror itself has read of the engine's object. Another
// one that takes over, or the next incarnation, begins with it.
type MirrorRead struct {
	Object containersv1.Mirror
	// AsOf is when the reading began.
	AsOf time.Time
}

// MirrorFinished says that neither resource nor object is left.
type MirrorFinished struct {
	Kind containersv1.Kind
	Name string
	// AsOf of the last fact about the engine's object that the mirror knows.
	AsOf time.Time
	// Removed is the resource that was last there, if there was one. The informers
	// may not know yet that it is gone.
	Removed types.UID
}
