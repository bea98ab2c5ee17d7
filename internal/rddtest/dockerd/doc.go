//go:build linux

// Package dockerd is a real dockerd of a test's own, and the few calls that
// make and take away what is in it, because the programs that attack rdd and
// measure it must reach an engine past the client that is under test.
package dockerd
