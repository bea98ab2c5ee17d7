//go:build linux

// Package dockerd runs a private dockerd for a test, and has the few API calls that
// create and remove its objects. The programs that attack and measure rdd must reach
// an engine without the client that is under test.
//
// Reading map:
//
//	dockerd.go  starts a dockerd
//	end.go      stops it, and removes what it leaves
//	api.go      requests to its API
//	objects.go  creates, changes and removes objects
//	lists.go    lists objects
//	events.go   follows the starts of containers
//	tar.go      content of images
package dockerd
