// Package engine is a simulated container engine behind
// [docker.API]: images, containers and volumes in memory, with the
// refusals and the events of a Docker Engine.
//
// The simulated Docker Engine in internal/dockersim speaks HTTP on a socket,
// which does not belong on virtual time: goroutines that wait for a socket are
// never idle, and their order is the kernel's. Its rules, which are held against
// a real engine, are the model for those here.
//
// Reading map: model.go holds the objects; containers.go, images.go and
// volumes.go are what can be done to them; stream.go tells of it, with events
// that are lost, late and doubled; client.go is the daemon's side.
package engine
