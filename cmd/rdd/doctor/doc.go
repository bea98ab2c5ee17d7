// Package doctor checks one instance: its files, its daemon, its datastore, its
// engine, and whether the mirrors match the engine.
//
// It must work when nothing else does. So the checks run in parallel, each has a
// deadline, and a check that needs the daemon is skipped or reported as unchecked
// when no daemon answers.
//
// Reading map: report.go has the results, examine.go runs the checks. daemon.go,
// files.go, disk.go, datastore.go, app.go, mirrors.go
// and mounts.go are the checks.
package doctor
