// Package app has the actor that owns the App resource. It turns the spec into
// commands for the VM actor and the engine supervisor, and their states into conditions.
//
// Reading map:
//
//	actor.go         the actor
//	subscription.go  receives the App
//	decide.go        derives the commands, in pure functions
//	idle.go          decides whether a VM is idle, and records its last use
//	conditions.go    derives the conditions, in pure functions
//	status.go        writes the status
//	events.go        records events of the App
//	create.go        creates the App when there is none
package app
