// Package qemu finds, asks and ends the QEMU of a VM.
//
// It exists because QEMU outlives whoever started it: the host agent that takes
// over a machine, and the daemon that finds one without an agent, both know no
// more of it than the files of the VM. What QEMU is told goes through its machine
// protocol, QMP; see https://www.qemu.org/docs/master/interop/qmp-spec.html.
package qemu
