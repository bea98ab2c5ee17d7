// Command simengine runs a simulated Docker Engine with many objects, for the tests and the
// measurements of the page. It prints the address of the engine, carries out the commands
// that it reads, and ends with its standard input.
//
// Reading map: main.go is the command, and carries out commands.
package main
