// Package engine puts the model of package engine/memory behind a link that fails,
// for the simulation: calls fail, hang and get no answer, events are dropped,
// late and doubled. It also keeps every state that an object has had, for the laws
// that judge a run.
//
// Package dockersim serves the same model over HTTP, on a socket. That does not
// belong on virtual time: goroutines that wait for a socket are never idle, and
// their order is the kernel's.
//
// Reading map: model.go is the model with what a judge reads of it, versions.go
// keeps the states of objects. client.go is the daemon's connection to the engine,
// transfer.go moves images, wire.go is what it reads, stream.go its stream of events.
package engine
