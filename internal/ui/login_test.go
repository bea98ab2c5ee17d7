package ui

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

func TestLoginMakesSession(t *testing.T) {
	s := startTest(t, testConfig(t))
	client, address := browser(t), s.LoginURL()
	got := request(t, client, http.MethodGet, address, nil)
	if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/" {
		t.Fatalf("the login was answered with %s and leads to %q", got.Status, got.Header.Get("Location"))
	}
	cookie := got.Cookies()[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Path != "/" || cookie.Domain != "" || len(cookie.Value) < 43 {
		t.Errorf("the cookie is %v", cookie)
	}
	if got := request(t, client, http.MethodGet, s.URL(), nil); got.StatusCode != http.StatusOK || got.body != "file /" {
		t.Errorf("the page is %s: %s", got.Status, got.body)
	}
	if got := request(t, client, http.MethodGet, s.URL()+"session", nil); got.StatusCode != http.StatusOK || !strings.Contains(got.body, "v1") {
		t.Errorf("the session is %s: %s", got.Status, got.body)
	}
	for name, address := range map[string]string{
		"used": address, "wrong": s.URL() + "login?code=" + newSecret(), "missing": s.URL() + "login", "empty": s.URL() + "login?code=",
	} {
		got := request(t, browser(t), http.MethodGet, address, nil)
		if got.StatusCode != http.StatusForbidden || len(got.Cookies()) > 0 || !strings.Contains(got.body, "rdd ui") {
			t.Errorf("a code that is %s: %s %s", name, got.Status, got.body)
		}
	}
}

// After a link on another site, a browser sends no strict cookie with a redirect. The code
// is in no address that the browser keeps.
func TestLoginAfterLinkForwards(t *testing.T) {
	s := startTest(t, testConfig(t))
	got := request(t, browser(t), http.MethodGet, s.LoginURL(), map[string]string{
		"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document",
	})
	if got.StatusCode != http.StatusSeeOther || len(got.Cookies()) != 1 || got.Header.Get("Location") != welcomePath {
		t.Fatalf("%s to %q: %s", got.Status, got.Header.Get("Location"), got.body)
	}
	got = request(t, browser(t), http.MethodGet, strings.TrimSuffix(s.URL(), "/")+welcomePath, nil)
	if got.StatusCode != http.StatusOK || !strings.Contains(got.body, `url=/"`) {
		t.Errorf("%s: %s", got.Status, got.body)
	}
}

// A browser requests the first list at the same time as the script.
func TestDocumentNamesFirstRequest(t *testing.T) {
	first := "/apis/first?limit=1"
	cfg := testConfig(t)
	cfg.Preload = func(context.Context) string { return first }
	s := startTest(t, cfg)
	client := loggedIn(t, s)
	if got := request(t, client, http.MethodGet, s.URL(), nil).Header.Get("Link"); got != "</apis/first?limit=1>; rel=preload; as=fetch; crossorigin" {
		t.Errorf("the header is %q", got)
	}
	for name, got := range map[string]response{
		"a file":            request(t, client, http.MethodGet, s.URL()+"page.js", nil),
		"without a session": request(t, browser(t), http.MethodGet, s.URL(), nil),
	} {
		if link := got.Header.Get("Link"); link != "" {
			t.Errorf("%s: %q", name, link)
		}
	}
	first = ""
	if got := request(t, client, http.MethodGet, s.URL(), nil); got.StatusCode != http.StatusOK || got.Header.Get("Link") != "" {
		t.Errorf("while the API server starts: %s %q", got.Status, got.Header.Get("Link"))
	}
}

func TestWithoutSessionNothingIsServed(t *testing.T) {
	cfg := testConfig(t)
	cfg.API = func() http.Handler { t.Error("a request reached the API"); return nil }
	s := startTest(t, cfg)
	own := strings.TrimSuffix(s.URL(), "/")
	for _, path := range []string{
		"session", "tree", "metrics", "doctor", "support-bundle", "watch", "api", "api/v1", "apis", "apis/x/y", "openapi/v3", "",
	} {
		for cookie, value := range map[string]string{"none": "", "wrong": newSecret(), "empty": `""`} {
			header := map[string]string{"Origin": own}
			if value != "" {
				header["Cookie"] = s.cookieName() + "=" + value
			}
			got := request(t, browser(t), http.MethodGet, s.URL()+path, header)
			if got.StatusCode != http.StatusUnauthorized || !strings.Contains(got.body, "rdd ui") {
				t.Errorf("%q with cookie %s: %s %s", path, cookie, got.Status, got.body)
			}
		}
	}
	if got := request(t, browser(t), http.MethodPost, s.URL()+"apis/x", map[string]string{"Origin": own}); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("a change: %s", got.Status)
	}
}

func TestPageHasOwnAddresses(t *testing.T) {
	s := startTest(t, testConfig(t))
	client := loggedIn(t, s)
	for path, want := range map[string]string{"": "file /", "containers/abc": "file /", "login.js": "file /login.js", "watch.css": "file /watch.css"} {
		if got := request(t, client, http.MethodGet, s.URL()+path, nil); got.body != want {
			t.Errorf("/%s: %s %s", path, got.Status, got.body)
		}
	}
	own := strings.TrimSuffix(s.URL(), "/")
	for _, path := range []string{"", "watch", "session", "login"} {
		if got := request(t, client, http.MethodPost, s.URL()+path, map[string]string{"Origin": own}); got.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("POST /%s: %s %s", path, got.Status, got.body)
		}
	}
}

// An open page finds the restarted daemon, and its session is still valid.
func TestRestartKeepsPortAndSession(t *testing.T) {
	cfg := testConfig(t)
	s, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	client, former := loggedIn(t, s), s.URL()
	stopTest(t, s)
	client.CloseIdleConnections()
	if s = startTest(t, cfg); s.URL() != former {
		t.Errorf("the page moved from %s to %s", former, s.URL())
	}
	if got := request(t, client, http.MethodGet, former+"session", nil); got.StatusCode != http.StatusOK {
		t.Errorf("the session is %s", got.Status)
	}
}

func TestBusyPortIsReplaced(t *testing.T) {
	cfg := testConfig(t)
	s, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	stopTest(t, s)
	other, err := net.Listen("tcp4", net.JoinHostPort(loopback, strconv.Itoa(s.port)))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	moved := startTest(t, cfg)
	if moved.port == s.port {
		t.Fatal("two programs have one port")
	}
	if saved := instance.SavedPort(cfg.Dir + "/page-port"); saved != moved.port {
		t.Errorf("the saved port is %d and not %d", saved, moved.port)
	}
	loggedIn(t, moved)
}

// Cookies of one host are sent to all its ports, so those of two instances differ.
func TestInstancesHaveOwnCookies(t *testing.T) {
	one, two := startTest(t, testConfig(t)), startTest(t, testConfig(t))
	client := loggedIn(t, one)
	if got := request(t, client, http.MethodGet, two.URL()+"session", nil); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("another instance accepts the session: %s", got.Status)
	}
	if got := request(t, client, http.MethodGet, two.LoginURL(), nil); got.StatusCode != http.StatusSeeOther {
		t.Fatal(got.Status)
	}
	for _, s := range []*Server{one, two} {
		if got := request(t, client, http.MethodGet, s.URL()+"session", nil); got.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", s.URL(), got.Status)
		}
	}
}

func TestRevokeEndsRequests(t *testing.T) {
	cfg := testConfig(t)
	blocked := make(chan struct{}, 2)
	cfg.API = func() http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/api/reads" { // the handler waits
				_ = http.NewResponseController(w).Flush()
				blocked <- struct{}{}
				<-r.Context().Done()
				return
			}
			for { // the client does not read
				if _, err := fmt.Fprintln(w, strings.Repeat("x", 1<<16)); err != nil {
					blocked <- struct{}{}
					return
				}
			}
		})
	}
	s := startTest(t, cfg)
	client := loggedIn(t, s)
	for _, path := range []string{"api/reads", "api/writes"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer got.Body.Close()
	}
	within(t, blocked)
	if count, err := s.Revoke(); count != 1 || err != nil {
		t.Errorf("Revoke = %d, %v", count, err)
	}
	within(t, blocked) // the writer has ended
	if got := request(t, client, http.MethodGet, s.URL()+"session", nil); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("after the end of the session: %s", got.Status)
	}
}
