// Package testkit has what tests of many packages need: conditions that are
// polled until they hold, and directories whose paths are short enough for unix
// sockets.
//
// Reading map:
//
//	eventually.go  wait until a condition holds
//	files.go       directories and files that are removed after the test
package testkit
