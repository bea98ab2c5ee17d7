package dockersim

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// request is a call that was routed.
type request struct {
	*http.Request
	// name is the variable part of the path.
	name string
}

// flag reports whether a parameter of the query is set, in any of the ways that
// dockerd takes for true.
func (r request) flag(name string) bool {
	switch strings.ToLower(strings.TrimSpace(r.URL.Query().Get(name))) {
	case "", "0", "no", "false", "none":
		return false
	default:
		return true
	}
}

// filter returns the values of one of the filters of a list, nil if it is not given.
func (r request) filter(name string) map[string]bool {
	var filters map[string]map[string]bool
	_ = json.Unmarshal([]byte(r.URL.Query().Get("filters")), &filters)
	return filters[name]
}

// hasLabel reports whether labels match the filter of a list, which has one at most, as
// KEY=VALUE.
func (r request) hasLabel(labels map[string]string) bool {
	for wanted := range r.filter("label") {
		key, value, _ := strings.Cut(wanted, "=")
		return labels[key] == value
	}
	return true
}

// route is one endpoint. A path without {name} or {id} is taken literally.
type route struct {
	method, path string
	serve        func(*Engine, http.ResponseWriter, request) error
}

func (r route) endpoint() string { return r.method + " " + r.path }

// routes are tried in order: the literal ones come first.
func routes() []route {
	return []route{
		{"GET", "/_ping", (*Engine).servePing},
		{"GET", "/version", (*Engine).serveVersion},
		{"GET", "/info", (*Engine).serveInfo},
		{"GET", "/events", (*Engine).serveEvents},
		{"GET", "/system/df", (*Engine).serveDiskUsage},
		{"POST", "/build/prune", (*Engine).serveBuildPrune},

		{"GET", "/containers/json", (*Engine).serveContainerList},
		{"POST", "/containers/create", (*Engine).serveContainerCreate},
		{"GET", "/containers/{id}/json", (*Engine).serveContainerInspect},
		{"POST", "/containers/{id}/start", (*Engine).serveContainerStart},
		{"POST", "/containers/{id}/stop", (*Engine).serveContainerStop},
		{"POST", "/containers/{id}/restart", (*Engine).serveContainerRestart},
		{"POST", "/containers/{id}/kill", (*Engine).serveContainerKill},
		{"POST", "/containers/{id}/pause", (*Engine).serveContainerPause},
		{"POST", "/containers/{id}/unpause", (*Engine).serveContainerUnpause},
		{"POST", "/containers/{id}/rename", (*Engine).serveContainerRename},
		{"DELETE", "/containers/{id}", (*Engine).serveContainerRemove},
		{"POST", "/containers/{id}/wait", (*Engine).serveContainerWait},
		{"GET", "/containers/{id}/logs", (*Engine).serveContainerLogs},
		{"GET", "/containers/{id}/stats", (*Engine).serveContainerStats},
		{"POST", "/containers/{id}/attach", (*Engine).serveContainerAttach},
		{"POST", "/containers/{id}/resize", (*Engine).serveContainerResize},
		{"POST", "/containers/{id}/exec", (*Engine).serveExecCreate},
		{"POST", "/exec/{id}/start", (*Engine).serveExecStart},
		{"POST", "/exec/{id}/resize", (*Engine).serveExecResize},
		{"GET", "/exec/{id}/json", (*Engine).serveExecInspect},
		{"POST", "/commit", (*Engine).serveCommit},

		{"GET", "/images/json", (*Engine).serveImageList},
		{"POST", "/images/create", (*Engine).serveImageCreate},
		{"POST", "/images/prune", (*Engine).serveImagePrune},
		{"GET", "/images/{name}/json", (*Engine).serveImageInspect},
		{"POST", "/images/{name}/tag", (*Engine).serveImageTag},
		{"POST", "/images/{name}/push", (*Engine).serveImagePush},
		{"DELETE", "/images/{name}", (*Engine).serveImageRemove},

		{"GET", "/volumes", (*Engine).serveVolumeList},
		{"POST", "/volumes/create", (*Engine).serveVolumeCreate},
		{"POST", "/volumes/prune", (*Engine).serveVolumePrune},
		{"GET", "/volumes/{name}", (*Engine).serveVolumeInspect},
		{"DELETE", "/volumes/{name}", (*Engine).serveVolumeRemove},

		{"GET", "/networks", (*Engine).serveNetworkList},
		{"POST", "/networks/create", (*Engine).serveNetworkCreate},
		{"POST", "/networks/prune", (*Engine).serveNetworkPrune},
		{"GET", "/networks/{id}", (*Engine).serveNetworkInspect},
		{"DELETE", "/networks/{id}", (*Engine).serveNetworkRemove},
		{"POST", "/networks/{id}/connect", (*Engine).serveNetworkConnect},
		{"POST", "/networks/{id}/disconnect", (*Engine).serveNetworkDisconnect},
	}
}

// ServeHTTP implements http.Handler.
func (e *Engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, version := splitVersion(r.URL.Path)
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	call := method + " " + path
	for _, route := range routes() {
		name, ok := route.match(method, path)
		if !ok {
			continue
		}
		defer e.calls.begin(route.endpoint())()
		if !e.suffer(w, r, route.endpoint(), call) {
			return
		}
		e.writeHeaders(w)
		err := e.checkVersion(version)
		if err == nil {
			err = route.serve(e, w, request{r, name})
		}
		if err != nil {
			writeError(w, err)
		}
		return
	}
	e.writeHeaders(w)
	writeError(w, &apiError{http.StatusNotFound, "page not found"})
}

// match returns the variable part of a path. It may hold slashes, as the names
// of images do.
func (r route) match(method, path string) (name string, ok bool) {
	if method != r.method {
		return "", false
	}
	open := strings.Index(r.path, "{")
	if open < 0 {
		return "", path == r.path
	}
	prefix, suffix := r.path[:open], r.path[strings.Index(r.path, "}")+1:]
	rest, ok := strings.CutPrefix(path, prefix)
	if !ok {
		return "", false
	}
	name, ok = strings.CutSuffix(rest, suffix)
	return name, ok && name != ""
}

// splitVersion takes the /v1.41 from a path.
func splitVersion(path string) (rest, version string) {
	after, ok := strings.CutPrefix(path, "/v")
	if !ok {
		return path, ""
	}
	version, rest, ok = strings.Cut(after, "/")
	if !ok || !strings.Contains(version, ".") {
		return path, ""
	}
	return "/" + rest, version
}

func (e *Engine) checkVersion(version string) error {
	if version == "" {
		return nil
	}
	if _, newest := e.Version(); minor(version) > minor(newest) {
		return badRequest("client version " + version + " is too new. Maximum supported API version is " + newest)
	}
	return nil
}

// minor is the second part of an API version; the first is always 1.
func minor(version string) int {
	_, text, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}

func (e *Engine) writeHeaders(w http.ResponseWriter) {
	version, api := e.Version()
	header := w.Header()
	header.Set("Api-Version", api)
	header.Set("Ostype", "linux")
	header.Set("Docker-Experimental", "false")
	header.Set("Server", "Docker/"+version+" (linux)")
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A client that has left needs no answer.
	_ = json.NewEncoder(w).Encode(value)
}

func readJSON(r request, into any) error {
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		return badRequest("invalid JSON: " + err.Error())
	}
	return nil
}
