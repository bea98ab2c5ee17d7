// Package bundle packs everything that a report about a failure needs into one
// archive, which its reader gets instead of a machine to look at.
//
// It is made when things are bad, so nothing may keep it from being written: the
// parts are collected at the same time, each with a deadline, and what could not
// be had is a line in the manifest and never an end. It is handed to strangers,
// so everything passes a redactor that takes out the secrets which are known by
// value and what looks like one. And it is complete: a file is cut, at its
// beginning, only when it is larger than [MaxFile], and the manifest says so.
//
// A daemon that hangs is not sent SIGQUIT, which would end it: its goroutines
// are missing then, and its threads, as the kernel sees them, are there.
//
// Reading map: bundle.go puts it together; parts.go is the list of parts;
// archive.go and manifest.go write; redact.go and secrets.go take out secrets;
// api.go, engine.go, files.go, host.go and processes.go collect.
package bundle
