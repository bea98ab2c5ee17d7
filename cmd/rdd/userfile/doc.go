// Package userfile changes files that belong to the user, such as the configuration of
// docker or kubectl. Other programs read and write them too, and the user may have
// linked them from another directory. So a change is atomic, keeps links and modes,
// excludes other changes by rdd, and overwrites no change of another program. It changes
// no file of another user.
//
// Reading map: update.go edits a file, replace.go replaces it, owner.go checks whose it
// is, and lock.go excludes other processes.
package userfile
