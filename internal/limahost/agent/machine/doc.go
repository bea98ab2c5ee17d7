// Package machine runs the virtual machine of a VM whose disk is ready.
//
// A machine is a QEMU process, which outlives the host agent, or one of Apple's
// Virtualization framework inside the agent's process. Package watch observes it
// through the interface Machine and does not know which one it is.
//
// Reading map:
//
//	machine.go       the interface, and the conditions of a machine
//	acceleration.go  how the processor is run
//	launch.go        start a machine
//	command.go       the QEMU program that Lima is given
//	reclaim.go       return what the guest does not use to the host
//	virtiofs.go      the process that shares directories with a QEMU
//	qemu.go          a QEMU process
//	monitor.go       the connection to its monitor
//	consolelog.go    limit the size of its console's log
//	exit.go          why a QEMU ended
//	vz.go            a machine of Apple's framework
//	sshconfig.go     the configuration for ssh
package machine
