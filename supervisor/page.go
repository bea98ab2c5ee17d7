package supervisor

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/ui"
	"github.com/rancher-sandbox/rancher-desktop-daemon/page"
)

// pageStop is how long the end of the page may take.
const pageStop = 2 * time.Second

// factsTimeout bounds the read of the App for the page.
const factsTimeout = 3 * time.Second

// Facts are what the page knows about its daemon.
type Facts struct {
	Version  string `json:"version"`
	Instance string `json:"instance"`
	// Namespace is the one of the mirrors.
	Namespace string `json:"namespace"`
	// Hub is the hub that this machine has joined, if any.
	Hub *appv1.HubStatus `json:"hub,omitempty"`
}

// startPage starts the server of the page, which stays while the tree restarts. A failure
// costs the page and nothing else. The result stops it.
func (d *daemon) startPage(ctx context.Context) (stop func()) {
	d.page, d.pageErr = ui.Start(ctx, ui.Config{
		Dir: d.Instance.TLSDir, Command: pageCommand(d.Instance.Name), Page: page.Handler(), Logger: d.Logger,
		API: d.userAPI, Facts: func(ctx context.Context) (any, error) { return d.facts(ctx) }, Preload: d.firstList,
		Tree: func() any { return d.picture.Tree() },
		FollowTree: func(ctx context.Context, emit func(any) error) error {
			return d.picture.Follow(ctx, func(event TreeEvent) error { return emit(event) })
		},
		Doctor: d.runDoctor, Bundle: d.writeBundle, BundleName: func() string {
			return fmt.Sprintf("rdd-support-%s-%s.tar.gz", d.Instance.Name, time.Now().UTC().Format("20060102T150405Z"))
		},
	})
	if d.pageErr != nil {
		d.Logger.Error("the page cannot be served", slog.Any("err", d.pageErr))
		return func() {}
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pageStop)
		defer cancel()
		if err := d.page.Stop(ctx); err != nil {
			d.Logger.Warn("the page did not stop", slog.Any("err", err))
		}
	}
}

// pageCommand returns the command that opens the page of an instance.
func pageCommand(name string) string {
	if name == instance.DefaultName {
		return "rdd ui"
	}
	return "rdd --instance " + name + " ui"
}

// userAPI returns the API for the user of this machine; nil while there is none.
func (d *daemon) userAPI() http.Handler {
	plane := d.plane.Load()
	if plane == nil || isClosed(plane.Done()) {
		return nil
	}
	return plane.UserHandler()
}

func isClosed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

// facts returns what the page knows about this daemon. It fails until the App can be read,
// which has the namespace.
func (d *daemon) facts(ctx context.Context) (Facts, error) {
	plane := d.plane.Load()
	if plane == nil {
		return Facts{}, errors.New("the API server is starting")
	}
	ctx, cancel := context.WithTimeout(ctx, factsTimeout)
	defer cancel()
	client, err := kube.NewClient(plane.RESTConfig())
	if err != nil {
		return Facts{}, err
	}
	app := &appv1.App{}
	app.Name = appv1.AppName
	if err := client.Get(ctx, app); err != nil {
		return Facts{}, fmt.Errorf("read the App: %w", err)
	}
	return Facts{
		Version: d.Version, Instance: d.Instance.Name,
		Namespace: cmp.Or(app.Spec.Namespace, appv1.DefaultNamespace), Hub: app.Status.Hub,
	}, nil
}

// firstPage is the limit of the page's first list of containers, as in
// page/src/store/collection.ts.
const firstPage = 1000

// firstList returns the path of the page's first list; empty until the namespace is known.
func (d *daemon) firstList(ctx context.Context) string {
	if d.mirrorNamespace.Load() == nil {
		facts, err := d.facts(ctx)
		if err != nil {
			return ""
		}
		d.mirrorNamespace.Store(&facts.Namespace)
	}
	return fmt.Sprintf("/apis/%s/namespaces/%s/%s?limit=%d", containersv1.GroupVersion, *d.mirrorNamespace.Load(),
		containersv1.KindContainer.GroupVersionResource().Resource, firstPage)
}

func (d *daemon) runDoctor(ctx context.Context) ([]byte, error) {
	if d.Doctor == nil {
		return nil, errors.New("this daemon has no doctor: run 'rdd doctor'")
	}
	return d.Doctor(ctx)
}

func (d *daemon) writeBundle(ctx context.Context, out io.Writer) error {
	if d.SupportBundle == nil {
		return errors.New("this daemon cannot collect a bundle: run 'rdd support-bundle'")
	}
	return d.SupportBundle(ctx, out)
}

// endSessions ends the sessions of the page when the token that permits a login was replaced.
func (d *daemon) endSessions(role controlplane.Role) {
	if role != controlplane.RoleAdmin || d.page == nil {
		return
	}
	if _, err := d.page.Revoke(); err != nil {
		d.Logger.Error("the saved sessions of the page remain", slog.Any("err", err))
	}
}

// servePage serves [ui.ControlPath].
func (d *daemon) servePage(w http.ResponseWriter, r *http.Request) {
	if d.page == nil {
		http.Error(w, fmt.Sprintf("the page is not served: %v: free a port, and run 'rdd svc restart'", d.pageErr), http.StatusServiceUnavailable)
		return
	}
	var answer any
	switch r.Method {
	case http.MethodPost:
		answer = ui.Login{URL: d.page.LoginURL(), Page: d.page.URL(), Missing: !page.IsBuilt()}
	case http.MethodDelete:
		count, err := d.page.Revoke()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		answer = ui.Ended{Sessions: count}
	default:
		http.Error(w, "use POST or DELETE", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		d.Logger.Debug("an answer about the page could not be sent", "err", err)
	}
}
