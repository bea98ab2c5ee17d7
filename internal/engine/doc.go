// Package engine says what a container engine is: objects of some kinds that can
// be watched, read, and changed with a few verbs. The actors know engines only
// through it; each engine has a package of its own below.
//
// Reading map: engine.go has the interface and its contract, event.go what a watch
// reports, key.go the names of objects, kind.go the table of mirrored kinds,
// errors.go the classes of errors.
package engine
