// Package qemu finds, queries and ends the QEMU of a VM.
//
// QEMU outlives the process that started it. A host agent that adopts a machine, and
// a daemon that finds one without an agent, know only the files of the VM. QEMU is
// controlled through its machine protocol, QMP; see
// https://www.qemu.org/docs/master/interop/qmp-spec.html.
//
// Reading map:
//
//	find.go              find the process
//	process_linux.go     facts of the kernel about it
//	process_darwin.go    the same on macOS
//	monitor.go           its machine protocol
//	stop.go              end it
package qemu
