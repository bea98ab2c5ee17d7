// Package completion completes command lines of rdd in shells.
//
// The scripts are those of cobra, for each shell. They run 'rdd __complete WORD…', which
// answers in cobra's protocol: a candidate a line, with a description after a tab, and
// last a colon and the directive. So one script completes the commands of rdd, and those
// of kubectl, which answers itself.
//
// Reading map: script.go prints the scripts, line.go splits a command line, complete.go
// finds the candidates, and candidates.go has them in cobra's protocol.
package completion
