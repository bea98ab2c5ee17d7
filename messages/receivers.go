package messages

// ToRoot is a message that the root receives.
//
//sumtype:decl
type ToRoot interface{ toRoot() }

// ToApp is a message that the app actor receives.
//
//sumtype:decl
type ToApp interface{ toApp() }

// ToVM is a message that the VM actor receives.
//
//sumtype:decl
type ToVM interface{ toVM() }

// ToEngine is a message that the engine supervisor receives.
//
//sumtype:decl
type ToEngine interface{ toEngine() }

// ToSession is a message that the session of an engine receives.
//
//sumtype:decl
type ToSession interface{ toSession() }

// ToMirror is a message that a mirror receives.
//
//sumtype:decl
type ToMirror interface{ toMirror() }

// ToRequests is a message that the supervisor of the requests receives.
//
//sumtype:decl
type ToRequests interface{ toRequests() }

// ToRequest is a message that the actor of a request receives.
//
//sumtype:decl
type ToRequest interface{ toRequest() }

// ToHub is a message that the hub actor receives.
//
//sumtype:decl
type ToHub interface{ toHub() }

// ToLease is a message that the lease actor receives.
//
//sumtype:decl
type ToLease interface{ toLease() }

// EngineCommand is a command of the app actor for the engine supervisor. The hub actor
// receives it too.
//
//sumtype:decl
type EngineCommand interface {
	ToEngine
	ToHub
	engineCommand()
}
