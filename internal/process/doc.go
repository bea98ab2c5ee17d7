// Package process tells processes of this machine apart, although the kernel
// uses pids again.
//
// Engines, host agents and virtual machines outlive the daemon that started
// them, so that the next daemon knows them by a number in a file only. A number
// may belong to another process by then, or to a zombie, which nothing will ever
// come of. Here a process is a pid together with the time at which it was
// started; whoever asks about it, waits for it or sends it a signal reaches that
// very process or none.
package process
