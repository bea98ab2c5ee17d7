// Package machine simulates what runs a container engine: a host, a VM, or a host
// that rdd does not manage. A machine keeps running without a daemon. It can end, lose
// its engine, or lack a program.
//
// Reading map: machine.go has the state of a machine and the events from outside,
// driver.go the operations of one process of the daemon.
package machine
