// Package lifecycle starts and ends the daemon of one instance from outside. It
// decides by the lock on the pid file and not by what the daemon answers, so
// that a daemon which is hung, dying or only just starting is told apart.
package lifecycle
