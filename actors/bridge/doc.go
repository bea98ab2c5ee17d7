// Package bridge has the actor that keeps the informers running. Each actor that
// consumes resources has its own subscription. When the informers fail, this actor
// fails, and the tree restarts.
//
// Reading map: actor.go is all of it.
package bridge
