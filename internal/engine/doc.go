// Package engine says what a container engine is: objects of some kinds that can
// be watched, read, and changed with a few verbs. The actors know engines only
// through it; each engine has a package of its own below.
//
// Reading map: engine.go has the interface and its contract, event.go what a watch
// reports, key.go the names of objects, errors.go the classes of errors. The table of
// kinds is in api/containers/v1alpha1/kinds.go.
package engine
