package controlplane

import (
	"net/http"

	kinemetrics "github.com/k3s-io/kine/pkg/metrics"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"k8s.io/component-base/metrics/legacyregistry"
)

// metricsHandler shows the API server's metrics, which belong to the process,
// and those of this control plane. A collector that is not valid is left out of
// what is shown, and the answer says why.
func metricsHandler(collectors []prometheus.Collector) http.Handler {
	own := prometheus.NewRegistry()
	own.MustRegister(kinemetrics.SQLTotal, kinemetrics.SQLTime, kinemetrics.CompactTotal)
	gatherers := prometheus.Gatherers{legacyregistry.DefaultGatherer, own}
	for _, collector := range collectors {
		extra := prometheus.NewRegistry()
		// A collector that is registered twice by its owner is shown once.
		if err := extra.Register(collector); err == nil {
			gatherers = append(gatherers, extra)
		}
	}
	return promhttp.HandlerFor(gatherers, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}
