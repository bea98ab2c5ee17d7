package controlplane

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	// DaemonUser is who the in-process clients are. Admission policies let this
	// user write what nobody else may.
	DaemonUser = "system:rdd"
	// AdminUser is who the kubeconfig's token belongs to.
	AdminUser = "rdd-admin"
)

// Options say where a control plane keeps its files and what it serves.
type Options struct {
	// DataDir is where the datastore lives, mode 0700.
	DataDir string
	// TLSDir is where certificate, key, token, the last port and the last reserved
	// revision are, mode 0600.
	TLSDir string
	// Kubeconfig is the path of the file that is written, mode 0600, for clients
	// which come over TLS with a bearer token.
	Kubeconfig string
	// Port on the loopback address; 0 is the one of last time, or any. When it is
	// taken, a free one is used instead; the kubeconfig has the one in use.
	Port int
	// ContextName names cluster, context and user in the kubeconfig.
	ContextName string
	// WriteLimit is how long one write to a client may take that watches and does not
	// read; 0: 15 s. The watch is then ended.
	WriteLimit time.Duration
	// Handlers serve more paths, such as "/rdd/" (a prefix, by its trailing
	// slash), behind the same authentication. They may stream.
	Handlers map[string]http.Handler
	// Collectors are shown at /metrics, beside the API server's own.
	Collectors []prometheus.Collector
	// Logger gets what the control plane and the Kubernetes libraries log. The
	// libraries know only one logger for the whole process: that of the control
	// plane which was started last.
	Logger *slog.Logger
}

func (o Options) complete() (Options, error) {
	switch {
	case o.DataDir == "":
		return o, errors.New("the control plane has no DataDir")
	case o.TLSDir == "":
		return o, errors.New("the control plane has no TLSDir")
	case o.Kubeconfig == "":
		return o, errors.New("the control plane has no Kubeconfig")
	}
	if o.ContextName == "" {
		o.ContextName = "rdd"
	}
	if o.WriteLimit == 0 {
		o.WriteLimit = writeLimit
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}
