// Package process identifies processes of this machine even though the kernel reuses
// pids.
//
// Engines, host agents and virtual machines outlive the daemon that started them. The
// next daemon finds them by a pid in a file, but the pid may belong to another process or
// a zombie by then. In this package, a process is a pid with its start time. Inspections,
// waits and signals reach that process or none.
//
// Reading map:
//
//	process.go    a process, and whether it runs
//	process_*.go  the kernel's facts about a process, for each system
//	owner.go      processes that descend from others
//	detach.go     starting a process that outlives this one
package process
