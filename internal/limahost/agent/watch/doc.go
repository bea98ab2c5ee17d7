// Package watch observes a running machine and its guest, and keeps the engine and
// the published ports reachable.
//
// One goroutine owns all state. Everything that takes time runs in goroutines of its
// own, which send their results to it as events. The reported trouble follows from
// the facts in a pure function.
//
// A reading map:
//
//	watch.go       the loop: start it, stop the machine at its end
//	events.go      the events, and how each changes the facts
//	facts.go       the facts, and the report that follows from them
//	probe.go       probe the machine
//	connection.go  what depends on one connection to the guest
//	engine.go      wait for the engine
//	guest/         the SSH connection to the guest
//	forward/       sockets on the host that lead into the guest
//	publish/       published ports on the host that lead into the guest
package watch
