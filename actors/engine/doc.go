// Package engine has the engine supervisor, which holds the mirrors and speaks
// for the engine as a whole, and below it the engine session: one live
// connection that reads the engine and dies when its event stream dies.
//
// The session only reads and tells; mirrors write; the supervisor routes. So a
// broken connection costs the session and nothing else: mirrors live on, and a
// new session brings them up to date by difference. It subscribes to events,
// tells the supervisor that it is connected, and is told to begin with what is
// mirrored of the images, so that it need not inspect those again.
//
// Reading map: supervisor.go is the actor, connection.go its life with the
// session, registry.go its mirrors, progress.go what it says to the app actor;
// session.go is the session, sync.go its full sync, happened.go what it
// reads after an event, listing.go its lists beside a full sync, recheck.go what it
// reads without an event, images.go and moves.go its index of images and tags.
package engine
