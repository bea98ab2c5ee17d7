// Package instance knows where one rdd instance keeps its files and whether its
// daemon runs.
//
// It is the only place that builds a path, so that the command line, the daemon
// and a support script cannot disagree. Nothing in it talks to a daemon: every
// answer is there while the daemon is stopped, hung or being started.
package instance
