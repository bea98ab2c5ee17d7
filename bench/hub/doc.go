// Command hub measures what machines on a hub cost the hub, and what a hub costs a
// machine. It starts a real hub on loopback, of the programs that `make kube` builds, and
// runs the real rdd as the machines. The API server counts requests, by its audit log.
//
// The engine of each machine is the in-memory engine behind the Docker API, because a
// start of a real container takes as long as its runtime needs, whatever rdd does.
//
// Reading map:
//
//	main.go       the command line
//	bench.go      one run: the order of the parts
//	merge.go      adds figures of a part to an earlier run
//	hub.go        the hub, and its machines
//	process.go    CPU time and memory of the programs of the hub
//	audit.go      counts writes
//	machine.go    a machine: an engine and a daemon
//	part_writes.go   writes for one change of an engine
//	part_latency.go  desired states
//	part_daemon.go   what a daemon costs that has joined, and one that has not
//	part_leases.go   Leases of many machines
//	part_return.go   many machines after a restart of the hub
//	leases.go        watches that no Lease is late
//	part_first.go    the first join with many mirrors
//	part_memory.go   memory of the API server
package main
