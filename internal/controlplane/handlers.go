package controlplane

import (
	"log/slog"
	"net/http"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/audit"
	"k8s.io/apiserver/pkg/endpoints/filters"
	"k8s.io/apiserver/pkg/endpoints/request"
	genericapiserver "k8s.io/apiserver/pkg/server"
	genericfilters "k8s.io/apiserver/pkg/server/filters"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/streams"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/tables"
)

// handlerChains are the handlers of the API server for both kinds of clients.
type handlerChains struct {
	// inProcess is for clients in this process. They are [DaemonUser], and their
	// contexts have the deadlines of requests.
	inProcess http.Handler
	// user is for requests of users that this process has authenticated itself.
	user http.Handler
	// slow ends watches and streams of network clients that do not read.
	slow *slowWatches
	// streams are the subresources of containers.
	streams streams.Source
	// tables are what kubectl prints.
	tables *tables.Tables
	logger *slog.Logger
}

// build returns the chain for network clients, and stores the one for in-process
// clients. It is a BuildHandlerChainFunc.
func (h *handlerChains) build(api http.Handler, config *genericapiserver.Config) http.Handler {
	api = streams.Handler(h.streams, config.Serializer, streams.OpenAPIV3(streams.Discovery(config.Serializer, api)))
	api = h.tables.Handler(api)
	h.inProcess = inner(api, config)
	h.inProcess = as(h.inProcess, DaemonUser)
	h.inProcess = outer(h.inProcess, config)

	api = withChangesLogged(h.slow.withWriteLimit(api), h.logger)
	h.user = withUnlimitedStreams(inner(h.tables.Lists(api), config), config.LongRunningFunc)
	h.user = limited(as(h.user, AdminUser), config)

	network := inner(untilRevoked(api, config.LongRunningFunc), config)
	network = withUnlimitedStreams(network, config.LongRunningFunc)
	network = withAuthenticatedConnection(network, config.Serializer)
	network = filters.WithAuthentication(network, config.Authentication.Authenticator,
		unauthorized(config.Serializer), nil, nil)
	return limited(network, config)
}

// limited adds the deadlines of requests from the network, and the first handlers.
func limited(handler http.Handler, config *genericapiserver.Config) http.Handler {
	handler = genericfilters.WithTimeoutForNonLongRunningRequests(handler, config.LongRunningFunc)
	handler = filters.WithRequestDeadline(handler, nil, nil, config.LongRunningFunc, config.Serializer, config.RequestTimeout)
	handler = filters.WithCacheControl(handler)
	return withBodyDeadline(outer(handler, config), bodyTimeout)
}

// unauthorized responds to a request without the token.
func unauthorized(codecs runtime.NegotiatedSerializer) http.Handler {
	answer := filters.Unauthorized(codecs)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		closeAfter(w, r)
		answer.ServeHTTP(w, r)
	})
}

// inner adds the last handlers before the API.
func inner(api http.Handler, config *genericapiserver.Config) http.Handler {
	handler := filters.WithAuthorization(api, config.Authorization.Authorizer, config.Serializer)
	handler = rejectImpersonation(handler, config.Serializer)
	return filters.WithWarningRecorder(handler)
}

// outer adds the first handlers of every request.
func outer(handler http.Handler, config *genericapiserver.Config) http.Handler {
	handler = genericfilters.WithWaitGroup(handler, config.LongRunningFunc, config.NonLongRunningRequestWaitGroup)
	handler = filters.WithRequestInfo(handler, config.RequestInfoResolver)
	handler = filters.WithAuditInit(handler) // patches and policies write to the request's audit context
	handler = filters.WithRequestReceivedTimestamp(handler)
	handler = withAuditContext(handler)
	return genericfilters.WithPanicRecovery(handler, config.RequestInfoResolver)
}

// withAuditContext adds the audit context that handlers expect, although nothing is
// audited.
func withAuditContext(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r.WithContext(audit.WithAuditContext(r.Context())))
	})
}

// longRunning reports which requests have no deadline: watches, streams of containers,
// profiles, and requests of the extra handlers, which may stream.
func longRunning(extra map[string]http.Handler) request.LongRunningRequestCheck {
	return func(r *http.Request, info *request.RequestInfo) bool {
		if info.IsResourceRequest {
			return info.Verb == "watch" || streams.IsStream(info)
		}
		if strings.HasPrefix(info.Path, "/debug/pprof/") {
			return true
		}
		for path := range extra {
			if info.Path == path || strings.HasSuffix(path, "/") && strings.HasPrefix(info.Path, path) {
				return true
			}
		}
		return false
	}
}
