// Package instance has the paths of an rdd instance's files, and finds out whether its
// daemon is running.
//
// Only this package builds these paths, so that the command line, the daemon and
// support scripts agree. It never talks to a daemon, so it works while the daemon is
// stopped, hung or starting.
//
// Reading map:
//
//	instance.go     an instance
//	paths.go        its paths
//	create.go       creating its directories
//	list.go         the instances that exist
//	usage.go        the space of its files
//	remove.go       removing its files
//	places.go       the directories to remove, and the files in them
//	place.go        removing one directory, which may be a link
//	linked.go       data of the engine that the user moved to another disk
//	args.go         the daemon's arguments
//	port.go         a port that is kept in a file
//	replace.go      replacing a file, and names that survive a power cut
//	environment.go  the daemon's environment
//	run.go          the running daemon's version and start
//	lock.go         the pid file and its lock
//	lockwatch_*.go  the kernel's reports about the pid file
//	orphans_*.go    daemons whose pid file was removed
//
// Package filename names the files.
package instance
