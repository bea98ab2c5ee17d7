// Package machine simulates what runs a container engine: a host, a VM, or a host
// that rdd does not manage. A machine outlives the daemon, and can die, lose its
// engine, or lack a program.
//
// Reading map: machine.go is a machine and what happens to it from outside, driver.go
// is what one process of the daemon does with it.
package machine
