// Package process identifies processes of this machine even though the kernel reuses
// pids.
//
// Engines, host agents and virtual machines outlive the daemon that started them, so
// the next daemon only knows them by a pid in a file. By then the pid may belong to
// another process or to a zombie. In this package a process is a pid together with
// its start time: inspecting it, waiting for it and sending it a signal reach that
// same process or none.
//
// Reading map:
//
//	process.go    a process, and whether it is alive
//	process_*.go  what the kernel of each system reports about it
//	owner.go      processes that descend from others
//	detach.go     starting a process that outlives this one
package process
