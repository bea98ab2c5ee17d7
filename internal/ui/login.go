package ui

import (
	"context"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"path"
	"strconv"
	"time"
)

// codeParameter is the parameter of /login with the code.
const codeParameter = "code"

// closeDelay is the time from the end of a session until its connections are closed: a
// stream sends its reason.
const closeDelay = 300 * time.Millisecond

// connectionKey is the key of a request's connection in its context.
type connectionKey struct{}

// cookieName returns the name of the cookie. It has the port, because a browser sends a
// cookie to all ports of a host, and each instance has its own page.
func (s *Server) cookieName() string { return "rdd-session-" + strconv.Itoa(s.port) }

// serveLogin exchanges a code for a session, and leads to the page, so that the code is in
// no address that stays.
func (s *Server) serveLogin(w http.ResponseWriter, r *http.Request) {
	secret, ok := s.logIn(r.URL.Query().Get(codeParameter))
	if !ok {
		s.showLogin(w, http.StatusForbidden, "This address has been used, or is older than 30 seconds.")
		return
	}
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // plain HTTP: the connection does not leave the machine
		Name: s.cookieName(), Value: secret, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
	next := "/"
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "none" && site != "same-origin" {
		// After a link on another site, a browser sends no strict cookie with a redirect.
		next = welcomePath
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
}

// welcomePath is where a login leads that began on another site. Its document requests the
// page, so the request begins on this site.
const welcomePath = "/welcome"

func (s *Server) serveWelcome(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, welcome)
}

const welcome = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=/">
<title>rdd</title><p><a href="/">Open the page</a></p></html>
`

// withSession returns handler for requests with a session. Their contexts end with the
// session, and with the server.
func (s *Server) withSession(handler func(http.ResponseWriter, *http.Request, *session)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		used, done := s.sessionOf(r)
		if used == nil {
			refuse(w, http.StatusUnauthorized, "Unauthorized",
				fmt.Sprintf("this browser has no session, or it has ended: run '%s' in a terminal", s.Command))
			return
		}
		defer done()
		ctx, cancel := context.WithCancelCause(r.Context())
		defer cancel(nil)
		defer context.AfterFunc(used.ended, func() { cancel(errSessionEnded) })()
		if conn, ok := ctx.Value(connectionKey{}).(net.Conn); ok {
			// A client that does not read keeps its handler in a write.
			defer context.AfterFunc(used.ended, func() { time.AfterFunc(closeDelay, func() { conn.Close() }) })()
		}
		handler(w, r.WithContext(ctx), used)
	})
}

// sessionOf returns the session of a request until done is called; nil if it has none.
func (s *Server) sessionOf(r *http.Request) (used *session, done func()) {
	for _, cookie := range r.CookiesNamed(s.cookieName()) {
		if used, done = s.sessions.use(cookie.Value); used != nil {
			return used, done
		}
	}
	return nil, nil
}

// servePage serves the files of the page, which have no secrets, and its document to browsers
// with a session.
func (s *Server) servePage(w http.ResponseWriter, r *http.Request) {
	if !isRead(r.Method) {
		refuse(w, http.StatusMethodNotAllowed, "MethodNotAllowed", "use GET")
		return
	}
	if !isDocument(r.URL.Path) {
		s.Page.ServeHTTP(w, r)
		return
	}
	used, done := s.sessionOf(r)
	if used == nil {
		s.showLogin(w, http.StatusUnauthorized, "This browser has no session, or it has ended.")
		return
	}
	defer done()
	if first := s.Preload(r.Context()); first != "" {
		w.Header().Set("Link", "<"+first+">; rel=preload; as=fetch; crossorigin")
	}
	document := r.Clone(r.Context())
	document.URL.Path = "/" // the page has addresses of its own
	s.Page.ServeHTTP(w, document)
}

// isDocument reports whether a path is an address of the page, and not of one of its files.
func isDocument(name string) bool { return path.Ext(name) == "" }

// showLogin answers with a page that says how to log in.
func (s *Server) showLogin(w http.ResponseWriter, code int, reason string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_ = loginPage().Execute(w, map[string]string{"Reason": reason, "Command": s.Command}) // the client may have left
}

func loginPage() *template.Template {
	return template.Must(template.New("login").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>rdd: log in</title>
<h1>Log in</h1>
<p>{{.Reason}}</p>
<p>Run <code>{{.Command}}</code> in a terminal of this machine: it opens this page in your browser.</p>
</html>
`))
}
