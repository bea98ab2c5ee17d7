// Package guest keeps one SSH connection to the guest of a VM, for as long as the
// VM lives.
//
// It exists because everything that reaches the guest goes through this one
// connection: the engine's socket, the agent that tells of published ports, the
// heartbeat. An ssh program as the master of shared connections would be one more
// process that can be lost unseen; this one is found dead at once, or mute within
// seconds, and made anew.
//
// A reading map: link.go is the loop that connects and connects again, reach.go
// waits for the guest's SSH server, hostkey.go knows it again, conn.go is what a
// connection is good for, beat.go tells whether it still is.
package guest
