package controlplane

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

const (
	// DaemonUser is the user of in-process clients. It is exempt from admission
	// policies.
	DaemonUser = "system:rdd"
	// AdminUser is the user of the kubeconfig's token.
	AdminUser = "rdd-admin"
	// ReadOnlyUser is the user of the read-only token, for dashboards.
	ReadOnlyUser = "rdd-reader"
)

// Options are the files and the extra handlers of a control plane.
type Options struct {
	// DataDir is the directory of the datastore, mode 0700.
	DataDir string
	// TLSDir is the directory of the certificate, the key, the tokens, the last port and
	// the reserved revisions; the files have mode 0600.
	TLSDir string
	// Kubeconfig is the path of the kubeconfig that Start writes, mode 0600, for clients
	// over TLS with a bearer token.
	Kubeconfig string
	// Port is the port on the loopback address; 0 means the last port, or any. If the
	// port is in use, a free one is used; the kubeconfig has the actual port.
	Port int
	// ContextName is the name of the cluster, context and user in the kubeconfig.
	ContextName string
	// WriteLimit is how long a write to a watching client may take before the watch is
	// ended, because the client does not read; 0 means 15 s.
	WriteLimit time.Duration
	// Engine returns the connected engine, for the streams of containers. Its error says
	// why there is none, and what to do. Without Engine, streams are unavailable.
	Engine func(ctx context.Context) (engine.Connection, error)
	// Handlers serve additional paths, with the same authentication. A path with a
	// trailing slash, such as "/rdd/", is a prefix. Handlers may stream.
	Handlers map[string]http.Handler
	// Rotated is called when the token of a role was replaced; it can be nil.
	Rotated func(role Role)
	// Collectors are served at /metrics, in addition to the API server's own.
	Collectors []prometheus.Collector
	// Logger is the logger of the control plane and of the Kubernetes libraries. The
	// libraries have one logger per process, that of the last control plane started.
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
	if o.Engine == nil {
		o.Engine = func(context.Context) (engine.Connection, error) {
			return engine.Connection{}, errors.New("this control plane has no container engine")
		}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}
