package messages

// Shutdown asks the root to end the tree.
type Shutdown struct {
	// KeepVM leaves the engine running, for the next daemon to adopt.
	KeepVM bool
}

// Drain asks the app actor to stop the engine, whatever the App's spec says, because
// the daemon ends. The answer is Drained.
type Drain struct{}

// Draining reports the progress of a Drain to the root. The app actor sends it at each
// change.
type Draining struct {
	// EngineStopping is set while a driver stops the engine, which takes as long as
	// the containers' stop timeouts.
	EngineStopping bool
	// Left says what the drain waits for.
	Left string
}

// Drained reports to the root that the engine has stopped and that no mirror is left.
type Drained struct{}

// AppReady reports to the root, once, that the App's status is of this daemon and not of
// a former one.
type AppReady struct{}

func (Shutdown) toRoot() {}
func (Drain) toApp()     {}
func (Draining) toRoot() {}
func (Drained) toRoot()  {}
func (AppReady) toRoot() {}
