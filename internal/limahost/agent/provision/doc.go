// Package provision makes a VM's disk, and the files that its guest boots from.
//
// It runs no machine. Plan decides what to do, and changes nothing. The other steps
// follow in the order of the map. After Commit, the last step, only a reset deletes the
// disk.
//
// Reading map:
//
//	provisioner.go  what all steps share
//	plan.go         decide what a start will do
//	retention.go    decide whether a disk is kept, and record finished resets
//	space.go        check the space for a new disk
//	size.go         read the size of a disk image
//	disk.go         download the image, make or grow the disk, write the boot files
//	recipe/         the lima.yaml of a VM
package provision
