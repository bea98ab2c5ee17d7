// Package lima is the driver that runs the engine in a virtual machine.
//
// It exists apart from what makes the machine: that is done by a host agent, a
// process of its own (see internal/limahost), because a VM must outlive the daemon
// and because Lima's packages do not belong into a daemon. The driver starts the
// agent, or finds the one that lives; it asks it how things are; it ends it; and
// where an agent is missing or hangs it goes to the machine directly. Nothing it
// says is remembered: the agent is alive when its lock is held, the machine is
// alive when its process is.
//
// A reading map:
//
//	driver.go     what the driver is made of
//	available.go  what must be installed
//	image.go      which image, and how long a VM of it may take to come up
//	check.go      what is wrong with an image or a lima.yaml
//	look.go       what lives: agent, machine, and the spec they are of
//	spec.go       a spec for the agent, and its way back
//	limits.go     how long is waited for what
//	start.go      start or adopt, and follow the phases
//	agent.go      the agent's process: starting it, asking it
//	ended.go      how an agent ended, in words
//	health.go     Wait and Ping
//	stop.go       stop the agent, or the machine without it
//	delete.go     remove what a VM leaves, all of it or what a stop does
package lima
