package controlplane

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"k8s.io/component-base/metrics/legacyregistry"

	_ "github.com/rancher-sandbox/rancher-desktop-daemon/internal/queuemetrics" // the queues of the libraries
)

// metricsHandler serves the metrics of the process and of the given collectors. It omits
// the API server's histograms of requests: they cost memory and time for every request,
// and are meant for servers with many clients. It also omits invalid collectors.
func metricsHandler(collectors ...prometheus.Collector) http.Handler {
	gatherers := prometheus.Gatherers{legacyregistry.DefaultGatherer}
	for _, collector := range collectors {
		extra := prometheus.NewRegistry()
		// A collector that fails to register is omitted.
		if err := extra.Register(collector); err == nil {
			gatherers = append(gatherers, extra)
		}
	}
	return promhttp.HandlerFor(gatherers, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}
