package messages

// Shutdown asks the tree to end. It is sent to the root.
type Shutdown struct {
	// KeepVM leaves the engine running, for the next start to adopt.
	KeepVM bool
}

// Drain asks the app actor to stop the engine, whatever the App says, because
// the daemon is about to end. The answer is Drained.
type Drain struct{}

// Draining reports how far a Drain has come. The app actor sends it at each change.
type Draining struct {
	// EngineStopping is set while a driver stops the engine, which takes as long as
	// the containers' stop timeouts.
	EngineStopping bool
	// Left says what the drain waits for.
	Left string
}

// Drained says that the engine has stopped and no mirror is left.
type Drained struct{}

// AppReady says that the App's status is of this daemon and not of a former
// one. The app actor sends it to the root, once.
type AppReady struct{}
