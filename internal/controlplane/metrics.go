package controlplane

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"k8s.io/component-base/metrics/legacyregistry"
)

// metricsHandler shows the metrics of the process, of the datastore and those
// that are given. The API server's histograms of each kind of request are left
// out: they cost memory and time with every request, and tell an operator of many
// clients what the one user here does not ask. A collector that is not valid is
// left out of what is shown.
func metricsHandler(collectors ...prometheus.Collector) http.Handler {
	gatherers := prometheus.Gatherers{legacyregistry.DefaultGatherer}
	for _, collector := range collectors {
		extra := prometheus.NewRegistry()
		// A collector that is registered twice by its owner is shown once.
		if err := extra.Register(collector); err == nil {
			gatherers = append(gatherers, extra)
		}
	}
	return promhttp.HandlerFor(gatherers, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}
