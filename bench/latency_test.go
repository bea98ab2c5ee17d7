package bench_test

import (
	"slices"
	"testing"
	"time"
)

// latencies are durations of the same operation.
type latencies []time.Duration

func (l *latencies) add(d time.Duration) { *l = append(*l, d) }

// report adds the median and the 99th percentile in milliseconds.
func (l latencies) report(b *testing.B, what string) {
	b.Helper()
	b.ReportMetric(l.percentile(0.5), "ms/"+what+"-p50")
	b.ReportMetric(l.percentile(0.99), "ms/"+what+"-p99")
}

// percentile returns a percentile in milliseconds; p is 0 to 1.
func (l latencies) percentile(p float64) float64 {
	if len(l) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(l))
	return ms(sorted[min(len(sorted)-1, int(p*float64(len(sorted))))])
}

// mean returns the mean in milliseconds.
func (l latencies) mean() float64 {
	var sum time.Duration
	for _, d := range l {
		sum += d
	}
	return ms(sum) / float64(max(1, len(l)))
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
