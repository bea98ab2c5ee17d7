package supervisor

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/ui"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// Paths that the daemon serves on the API server's own port, behind the same
// authentication.
const (
	// ReadyPath answers 200 when the App's status is of this daemon.
	ReadyPath = "/rdd/ready"
	// TreePath answers with a Tree.
	TreePath = "/rdd/tree"
	// VersionPath answers with a Version.
	VersionPath = "/rdd/version"
	// ShutdownPath takes a POST and answers 202; ?keepVM=true leaves the engine running.
	ShutdownPath = "/rdd/shutdown"
	// HubPath takes a POST and answers 202: the daemon reads again which hub this machine
	// has joined.
	HubPath = "/rdd/hub"
)

// Version is the answer of VersionPath: the version of the daemon that runs.
type Version struct {
	Version string `json:"version"`
}

// Tree is the answer of TreePath.
type Tree struct {
	Nodes []Node `json:"nodes"`
	// Failures are the last ones, oldest first.
	Failures []Failure `json:"failures,omitempty"`
}

func (d *daemon) handlers() map[string]http.Handler {
	return map[string]http.Handler{
		ReadyPath:      http.HandlerFunc(d.serveReady),
		TreePath:       http.HandlerFunc(d.serveTree),
		VersionPath:    http.HandlerFunc(d.serveVersion),
		ShutdownPath:   http.HandlerFunc(d.serveShutdown),
		HubPath:        http.HandlerFunc(d.serveHub),
		ui.ControlPath: http.HandlerFunc(d.servePage),
	}
}

func (d *daemon) serveReady(w http.ResponseWriter, _ *http.Request) {
	if !d.isReady.Load() {
		http.Error(w, "the actor tree is starting", http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok"))
}

func (d *daemon) serveVersion(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(Version{d.Version}); err != nil {
		d.Logger.Debug("the version could not be sent", "err", err)
	}
}

func (d *daemon) serveTree(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(d.picture.Tree()); err != nil {
		d.Logger.Debug("the tree could not be sent", "err", err)
	}
}

func (d *daemon) serveShutdown(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		http.Error(w, "use POST", http.StatusMethodNotAllowed)
		return
	}
	keep := false
	if v := r.URL.Query().Get("keepVM"); v != "" {
		var err error
		if keep, err = strconv.ParseBool(v); err != nil {
			http.Error(w, "keepVM must be true or false", http.StatusBadRequest)
			return
		}
	}
	w.WriteHeader(http.StatusAccepted)
	// The request's context ends when its handler returns. So the answer is sent
	// before the server begins to stop.
	context.AfterFunc(r.Context(), func() {
		select {
		case d.shutdown <- keep:
		default: // a shutdown is in progress
		}
	})
}

func (d *daemon) serveHub(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		http.Error(w, "use POST", http.StatusMethodNotAllowed)
		return
	}
	d.system.Root.Send(d.system.NewLocalPID(rootName+"/"+hubName), messages.JoinChanged{})
	w.WriteHeader(http.StatusAccepted)
}
