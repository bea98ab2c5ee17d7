// Package engine defines the interface of a container engine: objects of some kinds
// that can be watched, read, and changed with a few verbs. The actors use engines only
// through it; each engine has a package of its own below. The suite in enginetest runs
// on each of them.
//
// Reading map: engine.go has the interface and its contract, event.go what a watch
// reports, key.go the names of objects, connection.go a connected engine, stream.go
// streams of containers, create.go the creation of objects for requests, transfer.go pulls
// and pushes of images, prune.go what a prune removes, readonly.go an engine
// that is not changed, errors.go the classes of errors,
// words.go texts for people that every engine needs. The table of kinds is in
// api/containers/v1alpha1/kinds.go.
package engine
