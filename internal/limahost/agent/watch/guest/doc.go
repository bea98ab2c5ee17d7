// Package guest keeps one SSH connection to the guest of a VM open.
//
// All traffic to the guest goes through this one connection: the engine's socket,
// the guest agent, published ports, the heartbeat. A separate ssh program would be
// one more process that can fail unnoticed. This connection is found closed at once,
// or silent within seconds, and is replaced.
//
// A reading map:
//
//	link.go     connect, and reconnect
//	reach.go    wait for the guest's SSH server
//	hostkey.go  verify the guest's host key
//	conn.go     log in, and dial in the guest
//	beat.go     check that a connection works
package guest
