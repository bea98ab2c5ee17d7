// Package guest keeps one SSH connection to the guest of a VM open.
//
// All traffic to the guest uses this connection: the engine's socket, the guest agent,
// published ports, and the heartbeat. A separate ssh program could fail unnoticed. A
// closed connection is noticed at once, a silent one within seconds, and both are
// replaced.
//
// Reading map:
//
//	link.go     connect, and reconnect
//	reach.go    wait for the guest's SSH server
//	hostkey.go  verify the guest's host key
//	conn.go     log in, and dial in the guest
//	beat.go     check that a connection works
package guest
