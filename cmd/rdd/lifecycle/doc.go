// Package lifecycle starts and stops the daemon of one instance. It relies on the
// lock of the pid file rather than on the daemon's answers, so that it can
// distinguish a daemon that hangs, ends, or was just started.
//
// Reading map: manager.go has the Manager and the status of a daemon. start.go
// starts a daemon and waits until it is ready, stop.go stops it, wipe.go resets
// and deletes an instance. lock.go keeps daemons and other commands out meanwhile.
package lifecycle
