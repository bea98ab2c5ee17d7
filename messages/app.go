package messages

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

// AppReady says that the App's status is of this daemon and not of a former
// one. The app actor sends it to the root, once.
type AppReady struct{}
