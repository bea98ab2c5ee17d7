package ui

import (
	"net/http"
	"slices"
	"strings"
)

// contentSecurityPolicy allows the page nothing but its own files and its own server: no
// inline script or style, no other site, and no frame around it.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// guard refuses the requests of other sites, and protects responses from them.
type guard struct {
	// hosts are the values of Host that name this server. Any other is a name that another
	// site has in DNS, and that leads to this machine.
	hosts []string
	// crossOrigin checks requests that change something.
	crossOrigin *http.CrossOriginProtection
}

func newGuard(hosts ...string) *guard {
	return &guard{hosts: hosts, crossOrigin: http.NewCrossOriginProtection()}
}

// protect returns handler with the checks and the headers.
func (g *guard) protect(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setHeaders(w.Header())
		if refusal := g.check(r); refusal != "" {
			refuse(w, http.StatusForbidden, "Forbidden", refusal)
			return
		}
		handler.ServeHTTP(w, r)
	})
}

// setHeaders sets the headers of every response. Files of the page replace Cache-Control.
func setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", contentSecurityPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// check returns why a request is refused; empty if it is not.
func (g *guard) check(r *http.Request) string {
	if !slices.Contains(g.hosts, r.Host) {
		return "this server has another name: use the address that 'rdd ui --print' prints"
	}
	if err := g.crossOrigin.Check(r); err != nil {
		return "requests of other sites are refused: " + err.Error()
	}
	origins := r.Header.Values("Origin")
	isOwn := len(origins) == 1 && origins[0] == "http://"+r.Host
	if !isOwn && (len(origins) > 0 || !isRead(r.Method) || isUpgrade(r)) {
		return "a request that changes something, or opens a WebSocket, needs the header Origin of this page: http://" + r.Host
	}
	return checkSite(r)
}

// checkSite refuses reads of other sites too. For a browser, another port of this machine is
// the same site, so it sends the cookie. A link to the page, and the login, are allowed.
func checkSite(r *http.Request) string {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return ""
	}
	isLink := r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
	if isLink && r.Method == http.MethodGet && isDocument(r.URL.Path) {
		return ""
	}
	return "requests of other sites are refused"
}

func isRead(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// isUpgrade reports whether a request wants another protocol, such as WebSocket.
func isUpgrade(r *http.Request) bool {
	return r.Header.Get("Upgrade") != "" || slices.ContainsFunc(r.Header.Values("Connection"), func(value string) bool {
		return strings.Contains(strings.ToLower(value), "upgrade")
	})
}
