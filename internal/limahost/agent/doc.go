// Package agent is the host agent of a VM: it makes the VM from Lima's packages,
// starts it or takes over one that runs, and keeps the ways into it open.
//
// It is a process of its own, because a VM must outlive the daemon, and because
// Lima's packages read the environment of their process, log to a global logger
// and end the process when something is very wrong. It is not Lima's own host
// agent: that sleeps for ten seconds between looks, and never mends a connection
// that broke.
//
// A reading map:
//
//	run.go      the life of the agent, from its lock to its last word
//	board.go    the status, and who waits for a newer one; serve.go serves it
//	surround.go what Lima's packages want of their process
//	bring.go    take over a machine, or start one
//	disk.go     the VM's directory and disk: kept, grown, or made anew
//	launch.go   QEMU's command line and its start
//	machine.go  what a machine is to the agent; machine_qemu.go, machine_vz.go
//	watch.go    what the connection to the guest tells, and what follows from it
//	trouble.go  what is wrong with a VM that is alive, in words
//	engine.go   the engine's socket
//	ports.go    what the guest agent tells of ports; publish.go listens there
//	ending.go   how it ended, in words
package agent
