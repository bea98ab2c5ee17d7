// Package bench measures the daemon, and limits its costs.
//
// It runs the real daemon in this process: supervisor.Run with its actor tree and
// its embedded API server. A client observes it over TLS. Only the container engine
// is simulated, because no real one holds ten thousand images, answers with a chosen
// latency, or fails on demand. The package endtoend measures the program with a real
// engine.
//
// Benchmarks measure times, which depend on the machine, so no build fails because
// of one. Guards (guard_test.go) count writes, goroutines and allocations. They are
// ordinary tests.
//
// One operation of a benchmark is a whole scenario, and its metrics are the figures
// that matter. So -benchtime=1x is enough, and -count=N gives benchstat its samples.
// RDD_BENCH_ALL=1 adds the combinations that take long.
//
// Reading map:
//
//	daemon_test.go     runs a daemon
//	observe_test.go    observes its App and its mirrors
//	latency_test.go    percentiles
//	memory_test.go     private memory
//	sync_test.go       the full sync
//	running_test.go    events of a running engine
//	scenarios_test.go  reconnects, restarts and cleanup
//	start_test.go      starts of the daemon
//	baseline_test.go   the same scenarios with package baseline
//	tree_test.go       the actors alone
//	guard_test.go      limits of writes, calls and goroutines
package bench
