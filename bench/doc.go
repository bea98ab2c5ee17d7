// Package bench measures the daemon, and guards what must not grow.
//
// Everything here runs the real thing in this process: supervisor.Run with its
// actor tree and its embedded API server, looked at over TLS as a user's client
// does. Only the container engine is simulated, because no real one has ten
// thousand images at hand, answers with a latency to order, or is down at a
// word. What is measured against a real engine, and from outside the process,
// is in bench/endtoend.
//
// Benchmarks tell times; a machine's mood is in them, so no build fails because
// of one. Guards (guard_test.go) count: writes, goroutines, allocations. They
// are ordinary tests.
//
// One operation of a benchmark is a whole scenario, and the figures that matter
// are its metrics, so -benchtime=1x is enough and -count=N gives benchstat its
// samples. RDD_BENCH_ALL=1 asks for the combinations that take long.
//
// Reading map: daemon_test.go runs a daemon, observe_test.go looks at it;
// sync_test.go is the full sync, running_test.go and scenarios_test.go a daemon
// that follows its engine, start_test.go its start, baseline_test.go the same
// with the plain way of package baseline, tree_test.go the actors alone.
package bench
