// Package page has the files of the page that the daemon serves. They are built by
// 'make build' from the sources in src, and embedded.
//
// Reading map:
//
//	embed.go    the embedded files, and the program's answer without them
//	handler.go  serves them
package page
