// Package async runs work in goroutines and delivers its results to one place, so
// that the code which handles them needs no locks and never blocks.
//
// Reading map: runner.go starts the goroutines and the timers, backoff.go computes
// pauses between retries, patience.go ends work that makes no progress, panic.go returns
// panics as errors.
package async
