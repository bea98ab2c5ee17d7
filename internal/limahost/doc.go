// Package limahost is the interface between the daemon and the host agent of a Lima
// VM: the files of a VM, the agent's configuration and its status.
//
// The host agent is rdd itself, started as `rdd hostagent DIR` in a session of its
// own. It makes the VM with Lima's packages, starts it, and forwards the engine's
// socket and published ports. It outlives the daemon, and the VM outlives the agent:
// a new agent adopts a VM whose agent has ended.
//
// The daemon imports this package and never Lima's packages. Lima reads its process's
// environment, logs to a global logger, and may exit, which the daemon must not do. Only
// package agent and the packages below it use Lima.
//
// Reading map:
//
//	paths.go   the files of a VM
//	files.go   reading and writing them
//	config.go  the agent's configuration, which the daemon writes
//	status.go  the agent's status, and its exit status
//	client.go  reading the status and the exit status
//	used.go    when the VM's disk was last used
//	space.go   sizes as text
package limahost
