// Package enginetest is the conformance suite of the interface in package engine. It
// runs on each engine: in memory, in memory behind HTTP, and on the dockerds that are
// supported. The simulation judges rdd by the engine in memory, so its rules must be
// those of dockerd.
//
// Reading map:
//
//	suite.go       what an engine offers to the suite, and the list of rules
//	fixture.go     changes from outside
//	recorder.go    keeps what a watch reports
//	watch.go       rules of a watch and its full sync
//	changes.go     changes of containers that a watch reports
//	health.go      rules of health checks
//	resources.go   changes of images, volumes and networks that a watch reports
//	get.go         rules of Get, and the names of mirrors
//	do.go          rules of start and stop
//	actions.go     rules of pause, unpause, kill and restart
//	create.go      rules of the creation for requests
//	remove.go      rules of remove
//	logs.go        rules of logs
//	processes.go   rules of exec, attach and stats
//	transfer.go    rules of pull, push and tag, with registries
//	prune.go       rules of prune
//	connection.go  rules of connections that break or are closed
package enginetest
