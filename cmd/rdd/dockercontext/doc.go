// Package dockercontext makes the engine of an instance available to docker, compose
// and all other programs that read docker's configuration, as a docker context.
//
// The contexts and the name of the current one belong to the user. So rdd changes only
// the context of its own instance, and makes it the current one only where docker would
// reach no engine otherwise, or where the user requests it.
//
// Reading map: owner.go says which context belongs to an instance, config.go reads and
// changes docker's configuration directory, currentcontext.go the file config.json in
// it, ensure.go creates and selects a context, probe.go checks whether an engine
// answers, and host.go translates the address of an engine.
package dockercontext
