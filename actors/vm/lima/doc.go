// Package lima is the driver that runs the engine in a virtual machine.
//
// A host agent, which is a separate process, makes and runs the machine; see
// internal/limahost. The driver starts the agent or adopts the running one, reads its
// status, and stops it. Without a working agent it acts on the machine directly. It
// has no state in memory: an agent runs while its lock is held, and a machine while its
// process runs.
//
// Reading map:
//
//	driver.go     the driver's configuration
//	available.go  what must be installed
//	host.go       compare a VM with the size of this machine
//	host_linux.go, host_darwin.go  that size
//	vz_darwin.go, vz_other.go      whether this program has vz
//	image.go      the image of a VM, and the limits of its start
//	check.go      check an image or a lima.yaml
//	observe.go    find the running agent and machine, and their spec
//	spec.go       convert the spec to that of the agent, and back
//	limits.go     timeouts
//	start.go      start or adopt a VM
//	follow.go     follow the phases of a start
//	agent.go      start the agent's process
//	ended.go      why an agent exited
//	health.go     Wait and Ping
//	idle.go       who uses the engine, and its socket while the VM is stopped
//	stop.go       stop the agent, or the machine without it
//	delete.go     remove the files of a VM
package lima
