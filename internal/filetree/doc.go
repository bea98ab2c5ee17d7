// Package filetree removes directory trees, and nothing outside of them.
//
// Remove opens every entry relative to the descriptor of its directory, never by a
// path. It follows no symbolic link, and enters no directory on which another file
// system or a bind mount is mounted. So a link or a mount below a tree never leads a
// removal out of the tree, even if another process creates it during the removal.
//
// Remove first checks for mounts in the tree. If there is one, it removes nothing and
// returns a [*MountedError].
//
// Reading map:
//
//	remove.go     Remove and Clear
//	mounts.go     the mount table
//	space.go      free space
//	usage.go      the space that a tree occupies
//	path.go       paths with all links resolved
//	mountid_*.go  the mount of an open file
package filetree
