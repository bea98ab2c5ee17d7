// Package agent is the host agent of a VM. It makes the VM with Lima's packages,
// starts it or adopts the running one, and keeps its engine reachable.
//
// The agent is a separate process, because a VM must outlive the daemon, and because
// Lima needs its own process; see package lima. It is not Lima's host agent, which checks
// a VM every ten seconds only, and never repairs a connection.
//
// Reading map:
//
//	run.go         the agent's life, from its lock to its exit status
//	start.go       adopt a machine, or start one
//	check.go       check a configuration without an agent
//	exitstatus.go  save how the agent exited, on a full disk too
//	provision/     make the disk and the boot files
//	machine/       run the machine
//	watch/         observe the machine, and connect to its guest
//	status/        the status that is served
//	record/        facts about a machine for an adopting agent
//	console/       the log of the guest's console
//	lima/          calls of Lima's packages
package agent
