// Package queuemetrics turns off the metrics of the libraries' work queues. A program
// imports it for this effect.
//
// A queue of client-go with a metrics provider has a goroutine that wakes up twice a
// second, for as long as the queue exists, to measure unfinished work. The controllers of
// the API server for custom resources have six such queues, and most of the wake-ups of an
// idle daemon came from them. No option turns their metrics off: the package
// k8s.io/component-base/metrics/prometheus/workqueue, on which the API server depends,
// installs a provider when the program starts.
//
// The first provider wins. Go initializes packages in the order of their import paths, as
// far as dependencies permit, so that this package is initialized before the one above. Any
// provider but client-go's own, which cannot be named, has the goroutine. The provider of
// this package ends the goroutine at its first measurement.
package queuemetrics

import (
	"runtime"
	"strings"

	"k8s.io/client-go/util/workqueue"
)

func init() { //nolint:gochecknoinits // a later call has no effect
	workqueue.SetProvider(provider{})
}

// loop is the end of the name of the function whose goroutine measures unfinished work.
const loop = ".updateUnfinishedWorkLoop"

// provider makes metrics without a reader.
type provider struct{}

var _ workqueue.MetricsProvider = provider{}

func (provider) NewDepthMetric(string) workqueue.GaugeMetric            { return discard{} }
func (provider) NewAddsMetric(string) workqueue.CounterMetric           { return discard{} }
func (provider) NewLatencyMetric(string) workqueue.HistogramMetric      { return discard{} }
func (provider) NewWorkDurationMetric(string) workqueue.HistogramMetric { return discard{} }
func (provider) NewUnfinishedWorkSecondsMetric(string) workqueue.SettableGaugeMetric {
	return unfinished{}
}

func (provider) NewLongestRunningProcessorSecondsMetric(string) workqueue.SettableGaugeMetric {
	return discard{}
}
func (provider) NewRetriesMetric(string) workqueue.CounterMetric { return discard{} }

// discard discards measurements.
type discard struct{}

func (discard) Inc()            {}
func (discard) Dec()            {}
func (discard) Set(float64)     {}
func (discard) Observe(float64) {}

// unfinished is the metric of unfinished work.
type unfinished struct{}

// Set ends the goroutine that measures. It releases the lock of its queue by a deferred
// call, as at the end of the queue. Set does nothing in another goroutine, in case that a
// later version of the library measures elsewhere.
func (unfinished) Set(float64) {
	callers := make([]uintptr, 8)
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers)])
	for {
		frame, more := frames.Next()
		if strings.HasSuffix(frame.Function, loop) {
			runtime.Goexit()
		}
		if !more {
			return
		}
	}
}
