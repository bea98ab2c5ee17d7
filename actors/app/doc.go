// Package app has the actor that owns the App resource. It turns the spec into
// commands for the VM and the engine, and their answers into conditions.
//
// Reading map: actor.go is the actor, subscription.go receives the App, decide.go
// derives the commands and conditions.go the conditions, both as pure functions;
// status.go writes the resource, create.go makes one when there is none.
package app
