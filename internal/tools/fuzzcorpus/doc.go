// Fuzzcorpus selects, from the inputs that fuzzing has found, those that the repository
// keeps: the fewest that cover the code of this module that all of them cover, at most
// -most for each target. `make fuzz-corpus` runs it after `make fuzz`. Every `go test` then
// runs them. Inputs that are in the repository stay there.
//
// Reading map:
//
//	main.go      the targets, and their inputs before and after
//	coverage.go  runs an input and reads what it covers
//	choose.go    the choice
package main
