// Package dockersim is a simulated Docker Engine: an HTTP server on a unix
// socket with an own consistent model of images, containers and volumes, which
// speaks enough of the Docker Engine API for github.com/moby/moby/client.
//
// It exists because the failures that rdd must survive cannot be ordered from
// a real engine: a call that hangs, an event that is lost or comes twice, a
// stream that breaks between a list and an inspect, a clock that is wrong. It
// is also cheap enough for benchmarks with ten thousand objects.
//
// What it says and the events it sends follow dockerd 20.10 (API 1.41), as a
// conformance test checks against a real one. It runs no processes: a
// container runs until a command, or a call of Die, ends it.
//
// Reading map: engine.go is the engine's life (listening, refusing, freezing,
// restarting) and its clock; fault.go and calls.go what a test orders and
// counts; image.go, container.go, volume.go and events.go the model;
// server.go and the *_api.go files the HTTP side.
package dockersim
