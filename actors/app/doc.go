// Package app has the actor that owns the App resource: it turns the spec into
// commands for the VM and the engine, and what they answer into conditions.
//
// Reading map: decide.go derives the commands and conditions.go the conditions,
// both as pure functions; actor.go keeps what is known; status.go writes.
package app
