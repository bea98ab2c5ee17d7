package controlplane

import (
	"context"
	"crypto/subtle"
	"log/slog"
	"net/http"

	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/request/bearertoken"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/authorization/authorizerfactory"
	"k8s.io/apiserver/pkg/endpoints/request"
)

func privileged(name string) user.Info {
	return &user.DefaultInfo{
		Name:   name,
		Groups: []string{user.SystemPrivilegedGroup, user.AllAuthenticated},
	}
}

// tokenAuthenticator accepts the one valid token and no anonymous requests. It logs
// rejected requests with a limited number of lines. The library's line per request
// would let any user of this machine fill the logs.
func tokenAuthenticator(token string, logger *slog.Logger, rejected *logLimiter) authenticator.Request {
	want := []byte(token)
	admin := privileged(AdminUser)
	bearer := bearertoken.New(authenticator.TokenFunc(func(_ context.Context, got string) (*authenticator.Response, bool, error) {
		if subtle.ConstantTimeCompare([]byte(got), want) != 1 {
			return nil, false, nil
		}
		return &authenticator.Response{User: admin}, true, nil
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

// asDaemon runs every request as [DaemonUser]. It is for handlers that only this
// process can reach.
func asDaemon(handler http.Handler) http.Handler {
	daemon := privileged(DaemonUser)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r.WithContext(request.WithUser(r.Context(), daemon)))
	})
}

// privilegedOnly authorizes the group system:masters for everything, and no others.
func privilegedOnly() authorizer.Authorizer {
	return authorizerfactory.NewPrivilegedGroups(user.SystemPrivilegedGroup)
}
