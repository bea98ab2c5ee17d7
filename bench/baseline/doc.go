// Package baseline mirrors a container engine in the plain way that a daemon of
// this kind is usually written: one object at a time, each read from the engine,
// applied through TLS and a bearer token with server-side apply, and then its
// status applied the same way; events are handled one after the other.
//
// It exists so that a benchmark's figure can be put in proportion: a time alone
// says as much about the machine as about the program. It runs against the same
// API server and the same engine as what it is compared with, without a client
// side rate limit and without a cache to warm up, so that the ratio is that of
// the ways and of nothing else. No daemon uses it.
//
// Reading map: install.go makes the kinds it writes, sync.go is the full sync,
// follow.go the event loop, write.go and clean.go the calls to the API server.
package baseline
