package controlplane

import (
	"net/http"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/audit"
	"k8s.io/apiserver/pkg/endpoints/filters"
	"k8s.io/apiserver/pkg/endpoints/request"
	genericapiserver "k8s.io/apiserver/pkg/server"
	genericfilters "k8s.io/apiserver/pkg/server/filters"
)

// handlerChains are the two ways to the API server.
type handlerChains struct {
	// inProcess is for clients in this process: they are [DaemonUser], and their
	// contexts say how long a request may take.
	inProcess http.Handler
	// slow ends watches from the network.
	slow *slowWatches
}

// build makes the chain for requests from the network and keeps the one for
// requests from this process. It is a BuildHandlerChainFunc.
func (h *handlerChains) build(api http.Handler, config *genericapiserver.Config) http.Handler {
	h.inProcess = inner(api, config)
	h.inProcess = asDaemon(h.inProcess)
	h.inProcess = outer(h.inProcess, config)

	network := inner(h.slow.bounded(api), config)
	network = withEndlessBodies(network, config.LongRunningFunc)
	network = withKnownConnection(network, config.Serializer)
	network = filters.WithAuthentication(network, config.Authentication.Authenticator,
		unauthorized(config.Serializer), nil, nil)
	network = genericfilters.WithTimeoutForNonLongRunningRequests(network, config.LongRunningFunc)
	network = filters.WithRequestDeadline(network, nil, nil, config.LongRunningFunc, config.Serializer, config.RequestTimeout)
	network = filters.WithCacheControl(network)
	return withBodyDeadline(outer(network, config), bodyTime)
}

// unauthorized answers a request without the token.
func unauthorized(codecs runtime.NegotiatedSerializer) http.Handler {
	answer := filters.Unauthorized(codecs)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		closeAfter(w, r)
		answer.ServeHTTP(w, r)
	})
}

// inner is what stands directly before the API.
func inner(api http.Handler, config *genericapiserver.Config) http.Handler {
	handler := filters.WithAuthorization(api, config.Authorization.Authorizer, config.Serializer)
	handler = withoutImpersonation(handler, config.Serializer)
	return filters.WithWarningRecorder(handler)
}

// outer is what every request passes first.
func outer(handler http.Handler, config *genericapiserver.Config) http.Handler {
	handler = genericfilters.WithWaitGroup(handler, config.LongRunningFunc, config.NonLongRunningRequestWaitGroup)
	handler = filters.WithRequestInfo(handler, config.RequestInfoResolver)
	handler = filters.WithAuditInit(handler) // patches and policies write to the request's audit context
	handler = filters.WithRequestReceivedTimestamp(handler)
	handler = withAuditContext(handler)
	return genericfilters.WithPanicRecovery(handler, config.RequestInfoResolver)
}

// withAuditContext gives a request the place for audit annotations that handlers
// expect, though nothing is audited.
func withAuditContext(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r.WithContext(audit.WithAuditContext(r.Context())))
	})
}

// longRunning recognises the requests that have no deadline: watches, profiles,
// and the extra handlers, which may stream.
func longRunning(extra map[string]http.Handler) request.LongRunningRequestCheck {
	return func(r *http.Request, info *request.RequestInfo) bool {
		if info.IsResourceRequest {
			return info.Verb == "watch"
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
