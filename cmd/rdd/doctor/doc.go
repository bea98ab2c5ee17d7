// Package doctor examines one instance from outside: its files, its daemon, its
// datastore, its engine, and whether mirrors and engine are the same.
//
// It must be of use when nothing else is, so each look has a deadline, the looks
// do not wait for each other, and none needs a daemon that answers: what cannot
// be looked at without one is said to be skipped, and why.
//
// Reading map: report.go is what comes out, examine.go the list of looks;
// daemon.go, files.go, disk.go, datastore.go, app.go and mirrors.go are the looks.
package doctor
