package page

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func files() fstest.MapFS {
	return fstest.MapFS{
		"dist/index.html":         {Data: []byte("<!doctype html>")},
		"dist/page-ABCD2345.js":   {Data: []byte(strings.Repeat("let x = 1\n", 1000))},
		"dist/style-ABCD2345.css": {Data: []byte("p {}")},
		"dist/icon.svg":           {Data: []byte("<svg/>")},
		"dist/sub/font.woff2":     {Data: []byte("font")},
		"dist/secret.go":          {Data: []byte("package x")},
		"dist-missing.html":       {Data: []byte("make build")},
	}
}

func get(t *testing.T, h http.Handler, path string, header map[string]string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for name, value := range header {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestFilesHaveTypesAndCaching(t *testing.T) {
	h := newHandler(files())
	const forever, check = "public, max-age=31536000, immutable", "no-cache"
	for _, test := range []struct {
		path, kind, cache string
		code              int
	}{
		{"/", "text/html; charset=utf-8", check, 200},
		{"/index.html", "text/html; charset=utf-8", check, 200},
		{"/page-ABCD2345.js", "text/javascript; charset=utf-8", forever, 200},
		{"/style-ABCD2345.css", "text/css; charset=utf-8", forever, 200},
		{"/icon.svg", "image/svg+xml", check, 200},
		{"/sub/font.woff2", "font/woff2", check, 200},
		{"/none.js", "text/plain; charset=utf-8", "no-store", 404},
		{"/secret.go", "text/plain; charset=utf-8", "no-store", 404},
		{"/sub", "text/plain; charset=utf-8", "no-store", 404},
		{"/../dist-missing.html", "text/plain; charset=utf-8", "no-store", 404},
		{"/%3Cb%3E.js", "text/plain; charset=utf-8", "no-store", 404},
	} {
		for range 2 {
			w := get(t, h, test.path, nil)
			if w.Code != test.code || w.Header().Get("Content-Type") != test.kind || w.Header().Get("Cache-Control") != test.cache {
				t.Errorf("%s: %d %v", test.path, w.Code, w.Header())
			}
		}
	}
}

func TestTextIsCompressed(t *testing.T) {
	h := newHandler(files())
	plain := string(files()["dist/page-ABCD2345.js"].Data)
	for accepts, isCompressed := range map[string]bool{
		"": false, "br": false, "gzip": true, "deflate, gzip;q=0.5, br": true, "gzip;q=0": false, "gzip; q=0.0": false, "gzip;q=1": true,
	} {
		w := get(t, h, "/page-ABCD2345.js", map[string]string{"Accept-Encoding": accepts})
		if got := w.Header().Get("Content-Encoding") == "gzip"; got != isCompressed {
			t.Errorf("Accept-Encoding %q: compressed is %v", accepts, got)
			continue
		}
		var body io.Reader = w.Body
		if isCompressed {
			var err error
			if body, err = gzip.NewReader(w.Body); err != nil {
				t.Fatal(err)
			}
		}
		if text, err := io.ReadAll(body); err != nil || string(text) != plain {
			t.Errorf("Accept-Encoding %q: %d bytes: %v", accepts, len(text), err)
		}
	}
	for _, small := range []string{"/style-ABCD2345.css", "/sub/font.woff2"} {
		if w := get(t, h, small, map[string]string{"Accept-Encoding": "gzip"}); w.Header().Get("Content-Encoding") != "" {
			t.Errorf("%s is compressed", small)
		}
	}
}

func TestUnchangedFileIsNotSent(t *testing.T) {
	h := newHandler(files())
	tag := get(t, h, "/", nil).Header().Get("ETag")
	if w := get(t, h, "/", map[string]string{"If-None-Match": tag}); w.Code != http.StatusNotModified || w.Body.Len() != 0 {
		t.Errorf("%d: %s", w.Code, w.Body)
	}
	if w := get(t, h, "/icon.svg", map[string]string{"If-None-Match": tag}); w.Code != http.StatusOK {
		t.Errorf("another file: %d", w.Code)
	}
}

// A build without npm has a document that says so, and no script.
func TestBuildWithoutPageSaysSo(t *testing.T) {
	text, err := embedded.ReadFile(missing)
	if err != nil {
		t.Fatal(err)
	}
	h := newHandler(fstest.MapFS{missing: {Data: text}})
	for range 2 {
		w := get(t, h, "/", map[string]string{"If-None-Match": "x"})
		if w.Code != http.StatusNotImplemented || !strings.Contains(w.Body.String(), "npm") || !strings.Contains(w.Body.String(), "make build") || strings.Contains(w.Body.String(), "<script") {
			t.Errorf("%d: %s", w.Code, w.Body)
		}
	}
}

func TestHandlerServesThisBuild(t *testing.T) {
	want := http.StatusNotImplemented
	if IsBuilt() {
		want = http.StatusOK
	}
	if w := get(t, Handler(), "/", nil); w.Code != want {
		t.Errorf("the page of this build: %d %s", w.Code, w.Body)
	}
}

func TestOnlyReadsAreServed(t *testing.T) {
	h := newHandler(files())
	for method, code := range map[string]int{http.MethodHead: 200, http.MethodPost: 405, http.MethodDelete: 405} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, "/", nil))
		if w.Code != code || method == http.MethodHead && w.Body.Len() > 0 {
			t.Errorf("%s: %d %s", method, w.Code, w.Body)
		}
	}
}
