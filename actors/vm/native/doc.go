// Package native is the driver that runs an engine of rdd's own directly on
// Linux: a private dockerd, or a private containerd.
//
// Private means that nothing is shared with an engine of the system or of
// another rdd instance: configuration, data, runtime state, pid file, socket,
// bridge and subnet are the instance's own. What dockerd shares all the same,
// because it knows no other way, are the firewall's DOCKER chains; firewall.go
// tells what that breaks and how it is mended.
//
// The engine lives in a session of its own and outlives the daemon. live-restore
// is on, so that containers outlive even a killed dockerd; Stop turns it off
// first. How a process is known to be the engine is told in process.go.
//
// Two things follow from live-restore: Swarm mode is refused by the engine, and
// after a crash of dockerd the driver finds a Broken engine, whose containers
// run on until the next Start takes them up again.
package native
