// Package engine has the engine supervisor, which holds the mirrors and reports the
// state of the engine as a whole, and below it the engine session: one watch of the
// engine, which ends when its connection breaks.
//
// The session only reads; mirrors write; the supervisor routes between them. So a
// broken connection costs the session and nothing else: the mirrors keep running, and
// the next session updates them by difference. The supervisor answers a new session
// with the mirrors as they were last read, so that the engine need not read all of
// them again.
//
// Reading map:
//
//	config.go        the parts that the supervisor is created from
//	supervisor.go    the actor
//	state.go         derives its state, and publishes it
//	subscription.go  receives the mirror resources
//	connection.go    opens and closes the session
//	open.go          gives the connected engine to other parts of rdd
//	registry.go      holds the mirrors
//	mirrors.go       routes messages to the mirrors
//	restarts.go      paces the restarts of mirrors that fail
//	progress.go      follows a full sync
//	cleaning.go      describes the mirrors that are left to remove
//	session.go       the session
package engine
