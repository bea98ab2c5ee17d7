// Package userfile changes files that belong to the user, such as the configuration of
// docker or kubectl. Other programs read and write them too, and the user may have
// linked them from another directory. So a change is atomic, keeps links and modes, and
// excludes other changes by rdd.
//
// Reading map: replace.go replaces a file, lock.go excludes other processes.
package userfile
