// Package recipe decides on the lima.yaml of a VM.
//
// It writes nothing but that file, so that an error in an image or in a user's
// lima.yaml is reported before a disk or a running VM is touched.
//
// Reading map:
//
//	recipe.go  merge a user's lima.yaml with the properties that rdd sets
//	built.go   write the lima.yaml of an image that was built for rdd
//	mounts.go  the directories that the host shares with the guest
//	settings.go  pass the settings of the engine to the guest
//	guestcheck.go  let a running guest check them
//	check.go   validate the result
//	lines.go   find the line of an error
package recipe
