package controlplane

import (
	"context"
	"log/slog"
	"net/http"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/request/bearertoken"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/endpoints/request"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

func privileged(name string) user.Info {
	return &user.DefaultInfo{
		Name:   name,
		Groups: []string{user.SystemPrivilegedGroup, user.AllAuthenticated},
	}
}

// syncRule returns which writes must survive a power cut: those of users, and the records of
// what was done for requests, which would be carried out again without them. Other writes of
// the daemon, and of the API server in it, are derived from others. A write without a request
// of the API, such as that of a mirror, is the daemon's.
func syncRule() func(ctx context.Context) bool {
	recorded := map[schema.GroupResource]bool{}
	for _, kind := range containersv1.RequestKinds() {
		recorded[kind.GroupVersionResource().GroupResource()] = true
	}
	return func(ctx context.Context) bool {
		who, ok := request.UserFrom(ctx)
		if !ok {
			return false
		}
		if who.GetName() != DaemonUser && who.GetName() != user.APIServerUser {
			return true
		}
		info, ok := request.RequestInfoFrom(ctx)
		return ok && recorded[schema.GroupResource{Group: info.APIGroup, Resource: info.Resource}]
	}
}

// tokenAuthenticator accepts the valid tokens and no anonymous requests. It logs
// rejected requests with a limited number of lines. The library's line per request
// would let any user of this machine fill the logs.
func tokenAuthenticator(valid *tokens, logger *slog.Logger, rejected *logLimiter) authenticator.Request {
	bearer := bearertoken.New(authenticator.TokenFunc(func(_ context.Context, got string) (*authenticator.Response, bool, error) {
		holder := valid.holderOf(got)
		if holder == nil {
			return nil, false, nil
		}
		return &authenticator.Response{User: holder}, true, nil
	}))
	return authenticator.RequestFunc(func(r *http.Request) (*authenticator.Response, bool, error) {
		response, known, _ := bearer.AuthenticateRequest(r)
		if !known {
			rejected.record("token", func(count int) {
				logger.Warn("rejected requests without the API token: 'rdd svc config' prints a kubeconfig with the token", slog.Int("count", count))
			})
		}
		return response, known, nil
	})
}

// untilRevoked ends long-running requests, such as watches and logs that are followed,
// when their token is replaced.
func untilRevoked(handler http.Handler, longRunning request.LongRunningRequestCheck) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := request.UserFrom(r.Context())
		holder, isHolder := who.(*tokenHolder)
		info, hasInfo := request.RequestInfoFrom(r.Context())
		if !isHolder || !hasInfo || !longRunning(r, info) {
			handler.ServeHTTP(w, r)
			return
		}
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		go func() {
			select {
			case <-holder.revoked:
				cancel()
			case <-ctx.Done():
			}
		}()
		handler.ServeHTTP(w, r.WithContext(ctx))
	})
}

// as runs every request as a privileged user. It is for handlers that only this process
// can reach.
func as(handler http.Handler, name string) http.Handler {
	who := privileged(name)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r.WithContext(request.WithUser(r.Context(), who)))
	})
}
