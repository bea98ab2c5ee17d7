// Package supervisor builds the actor tree of a daemon and runs it.
//
// Reading map: run.go is the daemon's life from outside, tree.go the tree as
// one declaration, root.go the root actor with its orderly end, api.go what the
// tree needs of the API server, strategy.go how a failed actor is restarted,
// observed.go the wrapper of each actor that makes its stop final, picture.go the
// live picture of the tree, http.go and metrics.go how it is shown, settings.go the
// defaults of the engine's settings, logging.go the framework's log.
package supervisor
