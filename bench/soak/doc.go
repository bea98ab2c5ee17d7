// Command soak runs rdd for hours under a steady load, and checks that nothing grows. It
// also restarts the daemon and the engine a hundred times each, and checks that nothing is
// left behind.
//
// Two daemons mirror one real engine. One of them, "lasting", is never restarted, so that a
// leak adds up in its process. The other one, "restarted", is restarted every few minutes, so
// that a leak adds up in its files. The engine is restarted, too. Objects of the engine are
// replaced all the time, but their number stays the same. So whatever grows is a leak.
//
// Restarts follow a fixed schedule, and each quarter of the run has the same ones. So the
// means of two quarters compare processes of the same age.
//
// Reading map:
//
//	main.go     the command line
//	soak.go     the order of a run, and its end
//	daemon.go   a daemon, and its clients
//	churn.go    replaces objects of the engine
//	user.go     tasks of users of the API: patches, desired states, actions
//	request.go  tasks with requests
//	stream.go   tasks with streams and watches
//	fault.go    restarts of the engine and of a daemon, by schedule
//	outage.go   when errors of users are expected
//	tally.go    counts operations, and errors by kind
//	measure.go  what is measured, and how much it may grow
//	sample.go   reads the measures, and keeps them in a file
//	judge.go    compares the quarters
//	plot.go     draws the measures
//	report.go   writes the results
//	leak.go     the leak test: restarts one after the other
//	left.go     processes and files that a restart leaves behind
package main
