// Package controlplane has the actor that runs the embedded API server. It knows
// the server only as something that serves, ends and can be stopped.
//
// Reading map: actor.go is all of it.
package controlplane
