// Package native is the driver that runs an engine of rdd's own directly on
// Linux: a private dockerd, or a private containerd.
//
// Private means that the engine shares nothing with the system's engine or with
// another rdd instance: configuration, data, runtime state, pid file, socket,
// bridge and subnet are the instance's own. One exception has no alternative: all
// dockerds of a machine share the DOCKER chains of the firewall. firewall.go
// explains what that breaks and how the driver repairs it.
//
// The engine runs in its own session and outlives the daemon. live-restore is on,
// so that containers survive even a killed dockerd. Stop turns it off first.
//
// live-restore has two consequences. The engine refuses Swarm mode. After a crash
// of dockerd the driver reports a Broken engine, whose containers keep running
// until the next Start adopts them.
//
// Reading map:
//
//	config.go           the instance's files, and the two engines
//	state.go            what is saved between daemons
//	driver_linux.go     the driver: Available, Inspect, Wait and Ping
//	driver_other.go     the driver on systems without containers
//	start_linux.go      Start: adopts or starts an engine, and waits for its answer
//	launcher_linux.go   finds the programs, and builds the command
//	configured_linux.go  checks the settings of the App, and gives them to the engine
//	rootless_linux.go   the same for an engine without root
//	settings_linux.go   configuration files, directories and the log
//	stale_linux.go      removes files of a dead engine before a start
//	hints_linux.go      explains the errors in an engine's log
//	stop_linux.go       Stop and Delete
//	stopping_linux.go   waits for the engine and its containers to stop
//	repair_linux.go     Repair: recreates a missing socket
//	process_linux.go    finds the process of the engine
//	leftovers_linux.go  finds processes of an engine that has ended
//	records_linux.go    dockerd's records of containers
//	runc_linux.go       runc's records of containers
//	mounts_linux.go     finds and removes the engine's mounts
//	network_linux.go    makes the bridge, and chooses addresses for it
//	subnets.go          which addresses are free
//	bridges_linux.go    dockerd's record of bridges, and their removal
//	firewall.go         computes changes of firewall rules
//	firewall_own.go     which rules dockerd made for a network
//	firewall_linux.go   reads and changes firewall rules
//	hostlock_linux.go   the lock for the firewall, for all instances
//	key_linux.go        the key that old versions of dockerd make
package native
