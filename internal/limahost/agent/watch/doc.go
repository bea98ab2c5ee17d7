// Package watch observes a running machine and its guest, and keeps the engine and
// the published ports reachable.
//
// One goroutine owns all state. Slow work runs in other goroutines, which send their
// results to it as events. A pure function derives the reported trouble from the facts.
//
// Reading map:
//
//	watch.go       the loop: start it, stop the machine at its end
//	events.go      the events, and how each changes the facts
//	facts.go       the facts, and the report that follows from them
//	probe.go       probe the machine
//	connection.go  the tasks and sockets of one connection to the guest
//	engine.go      wait for the engine
//	guest/         the SSH connection to the guest
//	forward/       forward sockets on the host to the guest
//	publish/       forward published ports on the host to the guest
//	reclaim/       return memory and disk space that the guest does not use
package watch
