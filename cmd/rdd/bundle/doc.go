// Package bundle collects everything that a bug report needs in one archive.
//
// A bundle is made when something is broken, so no failure may prevent it. The
// parts are collected in parallel, each with a deadline, and a part that fails is
// an entry in the manifest. A bundle is shared with other people, so a redactor
// removes known secrets and text that looks like one. A file is cut, at its
// beginning, only if it is larger than [MaxFile]; the manifest says so.
//
// A hung daemon gets no SIGQUIT, because that would end it. So its goroutines are
// missing, but the bundle has the kernel's view of its threads.
//
// Reading map: bundle.go assembles the bundle from the parts in parts.go.
// archive.go and manifest.go write it. api.go, engine.go, files.go, host.go and
// processes.go collect. filter.go removes text from objects, and redact.go from all
// other text, with the known secrets of secrets.go, the names of secrets in names.go
// and a fast check in prefilter.go.
package bundle
