package ui

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestGuardRefusesOtherSites(t *testing.T) {
	const own = "http://127.0.0.1:1234"
	for _, test := range []struct {
		name, method, path string
		header             map[string]string
		code               int
	}{
		{"a read", "GET", "/apis/x", nil, 200},
		{"the name localhost", "GET", "/apis/x", map[string]string{"Host": "localhost:1234"}, 200},
		{"DNS rebinding", "GET", "/", map[string]string{"Host": "evil.example:1234"}, 403},
		{"a name below localhost", "GET", "/", map[string]string{"Host": "a.localhost:1234"}, 403},
		{"another port", "GET", "/", map[string]string{"Host": "127.0.0.1:1235"}, 403},
		{"no port", "GET", "/", map[string]string{"Host": "127.0.0.1"}, 403},
		{"another address of this machine", "GET", "/", map[string]string{"Host": "127.0.0.2:1234"}, 403},
		{"IPv6", "GET", "/", map[string]string{"Host": "[::1]:1234"}, 403},

		{"a change", "PATCH", "/apis/x", map[string]string{"Origin": own}, 200},
		{"a change by localhost", "PATCH", "/apis/x", map[string]string{"Host": "localhost:1234", "Origin": "http://localhost:1234"}, 200},
		{"a change by a browser", "POST", "/apis/x", map[string]string{"Origin": own, "Sec-Fetch-Site": "same-origin"}, 200},
		{"a change without Origin", "POST", "/apis/x", nil, 403},
		{"a change by another site", "POST", "/apis/x", map[string]string{"Origin": "https://evil.example"}, 403},
		{"a change by a sandboxed frame", "POST", "/apis/x", map[string]string{"Origin": "null"}, 403},
		{"a change by another port", "DELETE", "/apis/x", map[string]string{"Origin": "http://127.0.0.1:1"}, 403},
		{"a change by https", "DELETE", "/apis/x", map[string]string{"Origin": "https://127.0.0.1:1234"}, 403},
		{"the origin of the other name", "PUT", "/apis/x", map[string]string{"Origin": "http://localhost:1234"}, 403},
		{"a form of another site", "POST", "/apis/x", map[string]string{"Origin": own, "Sec-Fetch-Site": "cross-site"}, 403},
		{"a preflight", "OPTIONS", "/apis/x", map[string]string{"Origin": "https://evil.example"}, 403},

		{"a read by another site", "GET", "/apis/x", map[string]string{"Origin": "https://evil.example"}, 403},
		{"an image of another site", "GET", "/apis/x", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, 403},
		{"a script of another port", "GET", "/page.js", map[string]string{"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}, 403},
		{"a frame of another site", "GET", "/", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, 403},
		{"a link on another site", "GET", "/login", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 200},
		{"a typed address", "GET", "/", map[string]string{"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 200},

		{"a WebSocket", "GET", "/watch", map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Origin": own}, 200},
		{"a WebSocket without Origin", "GET", "/watch", map[string]string{"Connection": "keep-alive, Upgrade", "Upgrade": "websocket"}, 403},
		{"a WebSocket of another site", "GET", "/watch", map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Origin": "https://evil.example"}, 403},
		{"a WebSocket of another port", "GET", "/watch", map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-site"}, 403},
	} {
		t.Run(test.name, func(t *testing.T) {
			reached := false
			handler := newGuard("127.0.0.1:1234", "localhost:1234").protect(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
			r := httptest.NewRequestWithContext(t.Context(), test.method, test.path, nil)
			r.Host = "127.0.0.1:1234"
			for name, value := range test.header {
				r.Header.Set(name, value)
			}
			if host := test.header["Host"]; host != "" {
				r.Host = host
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != test.code || reached != (test.code == 200) {
				t.Errorf("%d, reached %v: %s", w.Code, reached, w.Body)
			}
			for _, name := range []string{
				"Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy",
				"Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Cache-Control",
			} {
				if w.Header().Get(name) == "" {
					t.Errorf("the response has no %s", name)
				}
			}
			if allowed := w.Header().Get("Access-Control-Allow-Origin"); allowed != "" {
				t.Errorf("other sites are allowed: %s", allowed)
			}
		})
	}
}

// A second header Origin does not hide the first.
func TestGuardRefusesTwoOrigins(t *testing.T) {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/apis/x", nil)
	r.Host = "127.0.0.1:1234"
	r.Header["Origin"] = []string{"http://127.0.0.1:1234", "https://evil.example"}
	if newGuard("127.0.0.1:1234").check(r) == "" {
		t.Error("two origins are accepted")
	}
}
