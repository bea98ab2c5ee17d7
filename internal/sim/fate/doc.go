// Package fate decides what happens to a simulated system, so that the same
// seed decides the same again.
//
// Two rules make a run repeatable. Each decision is drawn from (seed, who draws,
// how many times it has drawn), and not from one sequence that all share: a call
// more in one place does not change what happens in another. And each wait ends
// at an instant of virtual time of its own: at any instant there is one
// goroutine that can run, so that the Go scheduler has nothing to choose.
package fate
