// Package vm is the actor that keeps a container engine up, or down, as the App
// asks for.
//
// It is one state machine, Stopped→Starting→Running→Stopping and Failed, and it
// exists apart from the app actor because an engine outlives the daemon, dies on
// its own, hangs, and takes seconds to start and to stop, while what the user
// wishes changes at once.
//
// A reading map:
//
//	driver.go   what a driver must do; native and external are in folders below
//	decide.go   the decision, a pure function of what is wished and what is known
//	actor.go    the mailbox: every message and what it changes
//	tasks.go    driver calls outside the mailbox, and their results
//	check.go    whether a change can be carried out, before it costs the engine
//	watch.go    the death and the health of a running engine
//	report.go   the state and the words that others see
//	permanent.go  which failed start fails again until something is changed
//	choose.go   which driver carries out a spec
//	remove.go   stop or delete engines with no daemon running
//
// The engine belongs to nobody in this process: when the actor stops or
// crashes, the engine runs on, and the next actor adopts it. Only an EnsureVM
// that asks for a stop stops it.
package vm
