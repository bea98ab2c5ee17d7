package messages

import (
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
)

// AppChanged says what the App resource is now. The kube bridge sends it to the
// app actor once every informer has read its first list, and after each change.
type AppChanged struct {
	// App must not be changed: it is the informer's own copy.
	App *appv1.App
}

// AppRemoved says that there is no App resource.
type AppRemoved struct{}

// Shutdown asks the tree to end. It is sent to the root.
type Shutdown struct {
	// KeepVM leaves the engine running, for the next start to adopt.
	KeepVM bool
}

// Drain asks the app actor to stop the engine, whatever the App says, because
// the daemon is about to end. The answer is Drained.
type Drain struct{}

// Draining says, while a Drain is under way, whether the engine is being stopped. It
// is sent at each change. A stop takes as long as the containers' stop timeouts.
type Draining struct{ EngineStopping bool }

// Drained says that the engine has stopped and no mirror is left.
type Drained struct{}

// Replay asks the kube bridge to tell of every object, because an actor that must
// hear of them began. The first telling of a start answers it too.
type Replay struct {
	// Since is when that actor began. A telling that began later has all it needs.
	Since time.Time
}

// MirrorsTold says to the engine supervisor that the bridge has told of every
// mirror that there is, from Since on. It may be of a telling that an earlier
// incarnation has heard a part of.
type MirrorsTold struct{ Since time.Time }

// AppReady says that the App's status is of this daemon and not of a former
// one. The app actor sends it to the root, once.
type AppReady struct{}
