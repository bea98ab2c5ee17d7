// Package bridge has the actor that keeps the informers running. Each actor that
// consumes resources subscribes to them by itself; when the informers fail, this
// actor does, and with it the tree.
//
// Reading map: actor.go is all of it.
package bridge
