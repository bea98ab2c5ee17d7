// Package dockersim is a simulated Docker Engine: the model of package
// engine/memory behind an HTTP server on a unix socket, which speaks enough of the
// Docker Engine API for github.com/moby/moby/client.
//
// It exists because a test cannot make a real engine fail as it needs: a call that
// hangs, an event that is dropped or sent twice, a stream that breaks between a list and
// an inspection, a clock that is wrong. It is also fast enough for benchmarks with ten
// thousand objects.
//
// Its answers and events follow dockerd 20.10 (API 1.41). The suite of package enginetest
// runs on both, and TestConformance compares their answers and events.
//
// Reading map: engine.go listens, refuses and restarts; testing.go starts an engine
// for a test. fault.go and event_faults.go make calls and events fail, calls.go counts
// calls. server.go routes requests to container_api.go, container_details.go,
// container_commands_api.go, stream_api.go, image_api.go, transfer_api.go, volume_api.go, network_api.go
// and system_api.go; apierror.go answers
// errors.
package dockersim
