package supervisor

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/app"
	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/bridge"
	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/mirror"
	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/request"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/registry"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
)

// api is the part of the API server that the tree needs. It is an interface, so that
// the simulation can run the tree without HTTP and datastore, on virtual time.
type api interface {
	// Writer writes the App.
	app.Writer
	// EnsureNamespace creates a namespace of Kubernetes unless it exists.
	EnsureNamespace(ctx context.Context, name string) error
	// Mirrors returns the writer of the mirrors.
	Mirrors() mirror.Writer
	// Events returns the recorder of events.
	Events() kube.Recorder
	// Requests returns the writer of the requests.
	Requests() request.Writer
	// Informers feed the subscriptions.
	bridge.Informers
	// Subscribe delivers objects and their changes; see kube.Informers.
	Subscribe(ctx context.Context, sink func(kube.Event), objects ...client.Object) error
}

// embedded is the control plane in this process.
type embedded struct{ *controlplane.Server }

// API implements server.
func (e embedded) API() (api, error) {
	client, err := kube.NewClient(e.RESTConfig())
	if err != nil {
		return nil, err
	}
	informers, err := kube.NewInformers(e.RESTConfig(), nil, e.Server.Mirrors(), kube.AllObjects()...)
	if err != nil {
		return nil, err
	}
	return embeddedAPI{Client: client, Informers: informers, mirrors: e.Server.Mirrors(), events: e.Server}, nil
}

// embeddedAPI accesses the embedded API server: the App and requests over HTTP without a
// socket, the mirrors without HTTP.
type embeddedAPI struct {
	*kube.Client
	*kube.Informers
	mirrors *registry.Mirrors
	events  kube.Recorder
}

// Events implements api.
func (a embeddedAPI) Events() kube.Recorder { return a.events }

// Mirrors implements api.
func (a embeddedAPI) Mirrors() mirror.Writer { return a.mirrors }

// Requests implements api.
func (a embeddedAPI) Requests() request.Writer { return a.Client }
