// Package testkit has what tests of many packages need: conditions that are
// polled until they hold, directories whose paths are short enough for unix
// sockets, and copies of objects.
//
// Reading map:
//
//	eventually.go  wait until a condition holds
//	files.go       directories and files that are removed after the test
//	objects.go     copy an object into another one
package testkit
