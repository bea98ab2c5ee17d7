// Package baseline mirrors a container engine as a simple daemon would: one object
// at a time. It reads each object from the engine, and applies it and then its status
// by server-side apply over TLS. It handles events one after the other.
//
// Benchmarks compare rdd with it, since a time alone depends on the machine. It uses
// the same API server and the same engine as rdd, no rate limit and no cache. No
// daemon uses it.
//
// Reading map:
//
//	install.go  installs the kinds that it writes
//	sync.go     the full sync
//	follow.go   the event loop
//	write.go    writes mirrors
//	clean.go    removes mirrors
package baseline
