// Package messages holds every message that crosses the boundary of an actor, one file
// per conversation. The messages that one actor receives form a sealed set, and a linter
// checks that the actor handles all of them.
//
// Tense carries meaning: a command is imperative (EnsureVM), a fact is a participle
// (VMChanged). Each message can arrive twice or late. A fact that answers a command
// carries the command's generation, so that its receiver can drop a stale answer.
// Messages are never changed after they were sent.
//
// Reading map:
//
//	receivers.go    the sets of messages, one for each receiver
//	root.go         the end of the daemon: root and app actor
//	vm.go           app actor and VM actor
//	engine.go       app actor and engine supervisor
//	session.go      engine supervisor and session
//	mirror.go       engine supervisor and mirrors
//	request.go      supervisor of requests and the actors of requests
//	hub.go          app actor, hub actor and lease actor
//	supervision.go  supervision strategies and parents
package messages
