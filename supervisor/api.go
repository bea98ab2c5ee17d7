package supervisor

import (
	"context"

	"k8s.io/client-go/rest"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/app"
	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/mirror"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/registry"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
)

// api is all that the tree needs of the API server. It is an interface so that
// the tree can be run without HTTP and without a datastore, on virtual time.
type api interface {
	// Writer writes the App.
	app.Writer
	// EnsureNamespace makes a namespace of Kubernetes unless it is there.
	EnsureNamespace(ctx context.Context, name string) error
	// Mirrors is where the mirrors are written.
	Mirrors() mirror.Writer
	// Follow prepares to tell a handler of each change of the App and of mirrors.
	Follow(ctx context.Context, h kube.Handler) (follower, error)
}

// follower tells its handler of each change; see kube.Informers.
type follower interface {
	Run(ctx context.Context) error
	WaitForSync(ctx context.Context) error
	Replay(ctx context.Context) error
}

// embedded is the control plane in this process as a server.
type embedded struct{ *controlplane.Server }

// API implements server.
func (e embedded) API() (api, error) {
	client, err := kube.NewClient(e.RESTConfig())
	if err != nil {
		return nil, err
	}
	return reach{Client: client, config: e.RESTConfig(), mirrors: e.Server.Mirrors()}, nil
}

// reach is how the embedded API server is reached: the App over HTTP without a
// socket, the mirrors past HTTP.
type reach struct {
	*kube.Client
	config  *rest.Config
	mirrors *registry.Mirrors
}

// Mirrors implements api.
func (r reach) Mirrors() mirror.Writer { return r.mirrors }

// Follow implements api.
func (r reach) Follow(ctx context.Context, h kube.Handler) (follower, error) {
	return kube.NewInformers(ctx, r.config, r.mirrors, h)
}
