// Package supervisor builds the actor tree of a daemon and runs it.
//
// Reading map: run.go is the daemon's life from outside, tree.go the tree as
// one declaration, root.go the root actor with its orderly end, strategy.go how
// a failed actor is restarted, picture.go the live picture of the tree,
// http.go and metrics.go how it is shown; bridge.go is the actor that turns
// changes of resources into messages.
package supervisor
