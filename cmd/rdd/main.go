// Command rdd runs and steers a per-user daemon that mirrors a container engine
// into Kubernetes resources.
//
// Reading map: cli.go is the list of commands, exit.go the list of exit codes,
// session.go what every command is given. Each group of commands has its file.
// The packages below do the work, for whoever else wants it: lifecycle starts
// and ends the daemon, client talks to it, property knows what can be set.
package main

import "os"

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
