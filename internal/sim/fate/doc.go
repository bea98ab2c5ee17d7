// Package fate draws what happens to a simulated system from a seed, so that the same
// seed gives the same run.
//
// Two rules make a run repeatable. Each decision is drawn from the seed, the name of
// the caller and the number of its draws, and not from a sequence that all callers
// share: one more call in one place changes nothing in another. And each wait ends at
// an instant of virtual time of its own: at any instant one goroutine can run, so that
// the Go scheduler has no choice.
//
// Reading map: dice.go draws, link.go makes calls that can fail, wait.go lets virtual
// time pass.
package fate
