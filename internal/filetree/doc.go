// Package filetree removes directory trees, and nothing but them.
//
// Remove reaches every entry through the descriptor of the directory that holds
// it, never through a path. It follows no symbolic link and enters no directory
// that another file system, or a bind mount, is mounted on. So a link or a mount
// that a user, a crashed engine or another process puts below a tree leads no
// removal out of it, even while the removal runs.
//
// A mount below a tree is found before anything is removed: a removal that
// cannot be completed safely changes nothing and returns a *MountedError.
package filetree
