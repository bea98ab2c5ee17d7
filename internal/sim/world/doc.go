// Package world is everything around the actor tree in a simulation: a Kubernetes API
// server, three machines with engines, users, faults and the life of the daemon. In half of
// the runs the machine has joined a hub. One run follows from one seed.
//
// It knows no actor. A Tree starts a daemon in it and reports what its actors do.
//
// Reading map: world.go has the parts of the world, tree.go the interface to the actor
// tree. run.go is one run: acts and faults, the end of the faults, the checks.
// life.go starts and ends daemons, server.go is their control plane. acts.go draws the
// events from outside: acts_app.go, acts_mirror.go and acts_request.go have changes by
// users in one of the homes (side.go), acts_engine.go changes of the engine's objects,
// acts_fault.go faults, acts_race.go what meets other events, acts_hub.go faults of a hub.
// result.go is the outcome.
package world
