// Package vm has the actor that starts and stops the container engine, as the spec
// of the App says.
//
// It is one state machine: Stopped→Starting→Running→Stopping, and Failed. It is
// separate from the app actor, because an engine outlives the daemon, dies on its
// own, hangs, and takes seconds to start and to stop.
//
// Reading map:
//
//	driver.go     the interface of a driver; native, lima and external are below
//	decide.go     the decision, a pure function of desired state and facts
//	actor.go      the mailbox: each message and what it changes
//	tasks.go      driver calls outside of the mailbox, and their results
//	check.go      whether a change can be applied, checked before the engine is stopped
//	idle.go       holds the connections to an engine that is stopped while it is idle
//	watch.go      the end and the health of a running engine
//	report.go     the state and the messages that other actors get
//	permanent.go  which failed starts would fail again
//	choose.go     which driver is used for a spec
//	existing.go   finds an engine that runs already
//	serial.go     keeps calls of a driver from overlapping
//	remove.go     stops or deletes engines without a daemon
//
// The engine is not tied to this process: when the actor stops or crashes, the
// engine keeps running, and the next actor adopts it. Only an EnsureVM with
// running=false stops it, also while it is idle.
package vm
