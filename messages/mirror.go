package messages

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// ObjectSeen reports an object of the engine to its mirror.
type ObjectSeen struct {
	// Object has the name and status that the mirror should have.
	Object containersv1.Mirror
	// AsOf is when the reading began, on the clock of this process. The reading that
	// began last counts.
	AsOf time.Time
}

// ObjectGone reports to a mirror that the engine does not have the object.
type ObjectGone struct {
	Kind containersv1.Kind
	// Name of the mirror.
	Name string
	// AsOf is when the reading began.
	AsOf time.Time
}

// EngineGone reports to a mirror that its engine is gone: the resource is removed
// without a call to the engine.
type EngineGone struct{}

// MirrorChanged reports to a mirror what its resource is now.
type MirrorChanged struct {
	// Object must not be changed: it is the informer's own copy.
	Object containersv1.Mirror
}

// MirrorRemoved reports to a mirror that its resource was removed.
type MirrorRemoved struct {
	Kind containersv1.Kind
	Name string
	UID  types.UID
}

// RetryNow asks a mirror to retry what the engine refused, because the cause may be
// gone.
type RetryNow struct{}

// MirrorSettled reports to the engine supervisor that a resource equals the engine's
// object, or why it does not.
type MirrorSettled struct {
	Kind containersv1.Kind
	Name string
	// AsOf of the ObjectSeen that is mirrored.
	AsOf time.Time
	// Err is nil when the resource equals the object.
	Err error
	// Refused is set while the engine refuses the desired state.
	Refused bool
}

// MirrorRead reports to the engine supervisor what a mirror has read of the engine's
// object itself. The next incarnation of the mirror begins with it.
type MirrorRead struct {
	Object containersv1.Mirror
	// AsOf is when the reading began.
	AsOf time.Time
}

// MirrorFinished reports to the engine supervisor that neither resource nor object is
// left.
type MirrorFinished struct {
	Kind containersv1.Kind
	Name string
	// AsOf is when the mirror's last reading of the engine's object began.
	AsOf time.Time
	// Removed is the UID of the last resource, if there was one. The informers may
	// report its removal later.
	Removed types.UID
}

func (ObjectSeen) toMirror()     {}
func (ObjectGone) toMirror()     {}
func (EngineGone) toMirror()     {}
func (MirrorChanged) toMirror()  {}
func (MirrorRemoved) toMirror()  {}
func (RetryNow) toMirror()       {}
func (MirrorSettled) toEngine()  {}
func (MirrorRead) toEngine()     {}
func (MirrorFinished) toEngine() {}
