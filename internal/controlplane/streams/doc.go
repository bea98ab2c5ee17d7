// Package streams serves the subresources of a Container that a custom resource cannot
// have: log, exec, attach and stats. They speak the protocols of the same subresources of
// pods, so that clients of Kubernetes work unchanged: text for logs, and the WebSocket
// protocol v5.channel.k8s.io for exec and attach.
//
// The handler is the last one before the API, so that authentication, authorization and
// the limits of connections apply. It holds no state: a stream is a goroutine or two, a
// connection to the engine and a buffer. It ends with its client, the container, the
// engine, or the API server, and gives its client the reason.
//
// Reading map:
//
//	handler.go    finds container and engine, and routes to the subresource
//	discovery.go  the entries of the subresources in the discovery
//	openapi.go    their entries in the documents of OpenAPI
//	parameters.go the list of parameters of each
//	query.go      parameters of requests
//	log.go        log
//	stats.go      stats
//	remote.go     exec and attach
//	input.go      the input of exec and attach
//	status.go     errors and ends as statuses
package streams
