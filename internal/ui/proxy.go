package ui

import (
	"net/http"
	"strings"
)

// agent is the user agent, and so the field manager, of the page's requests.
const agent = "rdd-page"

// serveAPI passes a request on to the API. Streams, such as logs and shells, pass too.
// Watches have a socket of their own, because a browser has six connections.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request, _ *session) {
	if isWatch(r.URL.Query().Get("watch"), r.URL.Query().Has("watch")) {
		refuse(w, http.StatusBadRequest, "BadRequest", "a watch of the page uses the WebSocket /watch")
		return
	}
	api := s.API()
	if api == nil {
		refuse(w, http.StatusServiceUnavailable, "ServiceUnavailable", "the API server is starting: retry in a few seconds")
		return
	}
	api.ServeHTTP(w, forAPI(r))
}

// forAPI returns a request without what belongs to the page's own server.
func forAPI(r *http.Request) *http.Request {
	out := r.Clone(r.Context())
	for name := range out.Header {
		if name == "Cookie" || name == "Authorization" || strings.HasPrefix(name, "Impersonate-") {
			out.Header.Del(name)
		}
	}
	out.Header.Del("Accept-Encoding")   // on loopback, compression costs more than it saves
	out.Header.Set("User-Agent", agent) // for a browser's, the API server indents its JSON
	return out
}

// isWatch reports whether the API server regards the value of the parameter as true.
func isWatch(value string, isSet bool) bool {
	return isSet && value != "0" && !strings.EqualFold(value, "false")
}
