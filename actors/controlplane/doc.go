// Package controlplane has the actor that runs the embedded API server, through an
// interface with its start, its end and its stop.
//
// Reading map: actor.go is all of it.
package controlplane
