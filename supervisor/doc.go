// Package supervisor builds the actor tree of a daemon and runs it.
//
// Reading map:
//
//	run.go       runs a daemon from its start to its end
//	tree.go      declares the tree
//	root.go      the root actor, which starts and stops the others in order
//	api.go       the part of the API server that the tree needs
//	hub.go       the parts of the tree that follow a hub
//	engine.go    gives the connected engine to the API server
//	strategy.go  restarts failed actors
//	observed.go  wraps each actor: records its end, and makes its stop final
//	picture.go   the live picture of the tree
//	follow.go    follows the picture
//	page.go      the page: what it shows, and its logins
//	http.go      serves the picture, readiness and shutdown
//	metrics.go   shows the picture as metrics
//	settings.go  the defaults of the engine's settings
//	registry.go  limits the memory of the framework's registry
//	logging.go   filters the log of the framework
package supervisor
