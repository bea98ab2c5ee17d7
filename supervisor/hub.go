package supervisor

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/asynkron/protoactor-go/actor"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/bridge"
	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/hub"
	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/mirror"
	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/request"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	containerengine "github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/home"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
)

// viewOnly is the answer to changes on a hub that this machine has joined with
// --allow=view.
const viewOnly = "this machine only shows its engine on the hub: its user allows changes with 'rdd join --allow=operate'"

// refusalOf returns the answer to requests on a hub; empty if they are carried out.
func refusalOf(allow hubv1.Allow) string {
	if allow == hubv1.AllowCreate {
		return ""
	}
	return fmt.Sprintf("this machine has joined the hub with --allow=%s, so it carries out no requests: its user allows them with 'rdd join --allow=create'", allow)
}

// membership finds out which hub this machine has joined.
type membership struct {
	load     func() (*home.Join, error)
	identity func() (string, error)
	ledger   func() (*home.Ledger, error)
}

func membershipOf(inst instance.Instance) *membership {
	return &membership{
		load:     func() (*home.Join, error) { return home.Load(inst) },
		identity: func() (string, error) { return home.Identity(inst) },
		ledger:   func() (*home.Ledger, error) { return home.OpenLedger(inst) },
	}
}

// hubProps returns the props of the hub actor. A failure of it never restarts the tree.
func (b blueprint) hubProps(local api) *actor.Props {
	return b.child(hubName, func(report func(string)) actor.Actor {
		return hub.New(hub.Config{
			Load: b.membership.load, Identity: b.membership.identity,
			Open: func(join *home.Join, observer home.Observer) (hub.Home, error) { return b.openHome(join, observer) },
			Subtree: func(join *home.Join, api hub.Home, skew *home.Skew, informers *kube.Informers) hub.Subtree {
				return b.hubSubtree(local, join, api.(*home.Home), skew, informers)
			},
			Props:   b.props,
			Version: b.version, Logger: b.hubLogger(), Report: report,
		})
	}, actor.WithSupervisor(newStrategy(b.picture, hubPolicy)))
}

// hubLogger returns the logger of the actors of the second home.
func (b blueprint) hubLogger() *slog.Logger { return b.logger.With("home", "hub") }

// openHome opens a hub and the ledger of its requests.
func (b blueprint) openHome(join *home.Join, observer home.Observer) (*home.Home, error) {
	ledger, err := b.membership.ledger()
	if err != nil {
		return nil, err
	}
	return home.Open(join, ledger, observer)
}

// hubSubtree returns the children that follow a hub.
func (b blueprint) hubSubtree(local api, join *home.Join, api *home.Home, skew *home.Skew, informers *kube.Informers) hub.Subtree {
	parts := engineParts{
		path: []string{rootName, hubName, engineName}, ensureNamespace: api.EnsureNamespace, subscribe: informers.Subscribe,
		dial: b.dial, mirrors: api.Mirrors, boundsWrites: true, events: api.Events(), eventsOfRequests: true,
		isLeaving: api.IsLeaving, ledger: api.Ledger, storable: skew.Storable,
		logger: b.hubLogger(),
	}
	if join.Allow == hubv1.AllowView {
		parts.dial = readOnly(b.dial)
	}
	return hub.Subtree{
		Engine: b.engineSupervisorProps(parts),
		Bridge: b.picture.Props(rootName+"/"+hubName+"/"+bridgeName, func(report func(string)) actor.Actor {
			return bridge.New(bridge.Config{Informers: informers, Logger: b.hubLogger(), Report: report})
		}),
		Requests: func(engine *actor.PID) *actor.Props {
			return b.requestSupervisorProps(rootName+"/"+hubName+"/"+requestsName, request.Config{
				Subscribe: exceptApp(local.Subscribe, informers.Subscribe), EnsureNamespace: existing, Kube: api.Client, Engine: engine, Events: api.Events(), Logger: b.hubLogger(),
				Refusal: refusalOf(join.Allow), Ledger: api.Ledger,
			})
		},
	}
}

// subscribe is the type of kube.Informers.Subscribe.
type subscribe func(ctx context.Context, sink func(kube.Event), objects ...client.Object) error

// exceptApp returns a subscription to the App of this machine and to other objects on the
// hub, which has no Apps.
func exceptApp(local, hub subscribe) subscribe {
	return func(ctx context.Context, sink func(kube.Event), objects ...client.Object) error {
		isApp := func(o client.Object) bool { _, ok := o.(*appv1.App); return ok }
		if slices.ContainsFunc(objects, isApp) {
			if err := local(ctx, sink, &appv1.App{}); err != nil {
				return err
			}
		}
		return hub(ctx, sink, slices.DeleteFunc(slices.Clone(objects), isApp)...)
	}
}

// existing creates no namespace: only an administrator creates that of a machine on a hub.
func existing(context.Context, string) error { return nil }

// readOnly returns a dialer of engines that refuse changes.
func readOnly(dial engine.Dialer) engine.Dialer {
	return func(endpoint string) (containerengine.Engine, error) {
		e, err := dial(endpoint)
		if err != nil {
			return nil, err
		}
		return containerengine.ReadOnly(e, viewOnly), nil
	}
}

// engineParts are the parts in which the engine supervisors of the two homes differ.
type engineParts struct {
	// path of the supervisor in the tree.
	path            []string
	ensureNamespace func(ctx context.Context, name string) error
	subscribe       func(ctx context.Context, sink func(kube.Event), objects ...client.Object) error
	dial            engine.Dialer
	mirrors         mirror.Writer
	// boundsWrites is set if mirrors bounds each write itself.
	boundsWrites bool
	events       kube.Recorder
	// eventsOfRequests is set if events get only what was requested in this home.
	eventsOfRequests bool
	// isLeaving, ledger and storable are nil for the embedded API server; see mirror.Config.
	isLeaving func(ctx context.Context, kind containersv1.Kind) (bool, error)
	ledger    mirror.Ledger
	logger    *slog.Logger
	storable  func(containersv1.Mirror) containersv1.Mirror
}
