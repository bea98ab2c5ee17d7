package datastore

import "github.com/prometheus/client_golang/prometheus"

// metrics describes the metrics of a store.
type metrics struct {
	revision, commits, syncs, seconds, keys *prometheus.Desc
}

func newMetrics() metrics {
	describe := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("rdd_datastore_"+name, help, nil, nil)
	}
	return metrics{
		revision: describe("revision", "Revision of the datastore; each change of an object raises it by one."),
		commits:  describe("commits_total", "Transactions committed since the start."),
		syncs:    describe("syncs_total", "Transactions that waited for the disk since the start."),
		seconds:  describe("commit_seconds_total", "Seconds spent in SQLite on commits."),
		keys:     describe("objects", "Objects in the datastore."),
	}
}

var _ prometheus.Collector = (*Store)(nil)

// Describe implements [prometheus.Collector].
func (s *Store) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{s.metrics.revision, s.metrics.commits, s.metrics.syncs, s.metrics.seconds, s.metrics.keys} {
		out <- desc
	}
}

// Collect implements [prometheus.Collector].
func (s *Store) Collect(out chan<- prometheus.Metric) {
	s.mutex.RLock()
	defer s.mutex.RUnlock()
	send := func(desc *prometheus.Desc, kind prometheus.ValueType, value float64) {
		out <- prometheus.MustNewConstMetric(desc, kind, value)
	}
	send(s.metrics.revision, prometheus.CounterValue, float64(s.head.revision))
	send(s.metrics.commits, prometheus.CounterValue, float64(s.commitCount))
	send(s.metrics.syncs, prometheus.CounterValue, float64(s.syncCount))
	send(s.metrics.seconds, prometheus.CounterValue, s.commitTime.Seconds())
	send(s.metrics.keys, prometheus.GaugeValue, float64(len(s.head.keys)))
}
