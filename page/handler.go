package page

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// hashed matches the names of files that have a hash of their content, as esbuild writes it.
var hashed = regexp.MustCompile(`-[A-Z0-9]{8}\.[a-z0-9]+$`)

// minCompressed is the size, in bytes, from which a file is compressed.
const minCompressed = 1 << 10

// contentTypes are those of the files of a page. The types of the system differ from one
// machine to another.
func contentTypes() map[string]string {
	const utf8 = "; charset=utf-8"
	return map[string]string{
		".html": "text/html" + utf8, ".js": "text/javascript" + utf8, ".css": "text/css" + utf8,
		".json": "application/json", ".map": "application/json", ".webmanifest": "application/manifest+json",
		".txt": "text/plain" + utf8, ".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon",
		".woff2": "font/woff2",
	}
}

// handler serves files from memory. It reads and compresses each at its first use, so a page
// that is not opened costs nothing.
type handler struct {
	files fs.FS
	types map[string]string

	mutex sync.Mutex
	used  map[string]*file
}

// file is one file of the page.
type file struct {
	code       int
	content    []byte
	compressed []byte // nil if the content does not become smaller
	kind, tag  string
	immutable  bool
}

func newHandler(files fs.FS) *handler {
	return &handler{files: files, types: contentTypes(), used: map[string]*file{}}
}

// ServeHTTP implements [http.Handler].
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "use GET", http.StatusMethodNotAllowed)
		return
	}
	found := h.find(path.Clean("/" + r.URL.Path))
	if found == nil {
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, "the page has no file "+strconv.Quote(r.URL.Path), http.StatusNotFound)
		return
	}
	found.serve(w, r)
}

// find returns the file at a clean path; nil if there is none.
func (h *handler) find(name string) *file {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if found := h.used[name]; found != nil {
		return found
	}
	found := h.read(name)
	if found != nil {
		h.used[name] = found
	}
	return found
}

func (h *handler) read(name string) *file {
	inside := path.Join(directory, name)
	if name == "/" {
		inside = directory + "/" + document
	}
	kind, known := h.types[path.Ext(inside)]
	content, err := fs.ReadFile(h.files, inside)
	code := http.StatusOK
	if err != nil && name == "/" {
		code = http.StatusNotImplemented
		content, err = fs.ReadFile(h.files, missing)
	}
	if err != nil || !known {
		return nil
	}
	sum := sha256.Sum256(content)
	return &file{
		code: code, content: content, compressed: compress(content, kind), kind: kind,
		tag: `W/"` + hex.EncodeToString(sum[:16]) + `"`, immutable: hashed.MatchString(name),
	}
}

// compress returns the content of a text in the format of gzip; nil if that is not useful.
func compress(content []byte, kind string) []byte {
	isText := strings.HasPrefix(kind, "text/") || strings.HasPrefix(kind, "application/") || kind == "image/svg+xml"
	if !isText || len(content) < minCompressed {
		return nil
	}
	var out bytes.Buffer
	writer := gzip.NewWriter(&out)
	_, _ = writer.Write(content) // a buffer takes everything
	if writer.Close() != nil || out.Len() >= len(content) {
		return nil
	}
	return out.Bytes()
}

func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", f.kind)
	header.Set("Cache-Control", "no-cache")
	header.Set("ETag", f.tag)
	header.Set("Vary", "Accept-Encoding")
	if f.immutable {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if r.Header.Get("If-None-Match") == f.tag && f.code == http.StatusOK {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	content := f.content
	if f.compressed != nil && acceptsGzip(r) {
		header.Set("Content-Encoding", "gzip")
		content = f.compressed
	}
	header.Set("Content-Length", strconv.Itoa(len(content)))
	w.WriteHeader(f.code)
	if r.Method != http.MethodHead {
		_, _ = w.Write(content) //nolint:gosec // a file of this program; and the client may have left
	}
}

// acceptsGzip reports whether a client has named gzip, without a quality of 0.
func acceptsGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, quality, _ := strings.Cut(strings.TrimSpace(coding), ";")
		if name == "gzip" && strings.Trim(strings.TrimPrefix(strings.TrimSpace(quality), "q="), "0.") != "" || name == "gzip" && quality == "" {
			return true
		}
	}
	return false
}
