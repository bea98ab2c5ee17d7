package home

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	coordinationclient "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
)

const (
	// requestsPerSecond bounds the requests to a hub.
	requestsPerSecond = 50
	// probeTimeout bounds a probe.
	probeTimeout = 5 * time.Second
	// leaseTimeout bounds each request for the Lease, so that a hub that hangs is found
	// away before the Lease expires.
	leaseTimeout = 8 * time.Second
)

// Observer receives what the requests show of the hub. Its methods do not block, and can
// be called concurrently.
type Observer struct {
	// Away is called when a request finds the hub away, once until Probe succeeds.
	Away func(cause error)
	// NotStored is called when the hub has stored another status than it was sent.
	NotStored func()
	// Leaving is called when mirrors are found to be deleted together with their namespace
	// or their definition.
	Leaving func()
	// Refused is called with the hub's words when it refuses requests of this machine,
	// for a missing right or an exhausted quota, and with an empty text when it no longer
	// does.
	Refused func(message string)
}

// Home is the API of a hub for one machine. It is safe for concurrent use.
type Home struct {
	// Client reads and writes requests.
	*kube.Client
	// Mirrors reads and writes mirrors.
	Mirrors *Mirrors
	// Ledger has the requests that were carried out.
	Ledger *Ledger

	namespace  string
	config     *rest.Config
	httpClient *http.Client
	// inner is the transport below gate and fence.
	inner http.RoundTripper
	gate  *gate
	fence *fence
	// leaving is Observer.Leaving.
	leaving func()
	// direct sends requests of other types.
	direct client.Client
	leases *coordinationclient.CoordinationV1Client
	events events
}

// Open returns the Home of a machine. It sends no request.
func Open(join *Join, ledger *Ledger, observer Observer) (*Home, error) {
	config, err := join.RESTConfig()
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = requestsPerSecond, requestsPerSecond
	h := &Home{Ledger: ledger, namespace: join.Machine, config: config, leaving: observer.Leaving}
	// Each client uses this one, because there is one gate, and one Lease.
	if h.httpClient, err = rest.HTTPClientFor(config); err != nil {
		return nil, fmt.Errorf("prepare the connection to the hub: %w", err)
	}
	// The gate is outside of what adds the credentials, because that can fail too.
	h.inner = h.httpClient.Transport
	leases := "/apis/coordination.k8s.io/v1/namespaces/" + h.namespace + "/leases"
	h.fence = &fence{next: h.inner, leases: leases, free: []string{
		"/api/v1/namespaces/" + h.namespace + "/serviceaccounts/" + hubv1.ServiceAccountName + "/token",
		"/apis/" + hubv1.GroupVersion.String() + "/machines/" + h.namespace + "/status",
	}}
	h.gate = &gate{
		next:   &refusals{next: h.fence, changed: observer.Refused, classes: map[class]*refusal{}},
		closed: observer.Away, leases: leases,
	}
	h.httpClient.Transport = h.gate
	return h, h.openClients(observer)
}

func (h *Home) openClients(observer Observer) (err error) {
	if h.Client, err = kube.NewClientFor(h.config, h.httpClient); err != nil {
		return err
	}
	if h.direct, err = newDirect(h.config, h.httpClient); err != nil {
		return err
	}
	if h.Mirrors, err = NewMirrors(h.config, h.httpClient); err != nil {
		return err
	}
	h.Mirrors.fenced, h.Mirrors.notStored = h.fence.check, observer.NotStored
	leases := *h.httpClient
	leases.Timeout = leaseTimeout
	if h.leases, err = coordinationclient.NewForConfigAndClient(h.config, &leases); err != nil {
		return fmt.Errorf("create a client for the Lease: %w", err)
	}
	h.events, err = newEvents(h.config, h.httpClient, h.direct.Scheme(), h.namespace)
	return err
}

func newDirect(config *rest.Config, httpClient *http.Client) (client.Client, error) {
	scheme, err := kube.NewScheme()
	if err != nil {
		return nil, err
	}
	for _, add := range []func(*runtime.Scheme) error{hubv1.AddToScheme, apiextensionsv1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("register the types of the hub: %w", err)
		}
	}
	out, err := client.New(config, client.Options{Scheme: scheme, HTTPClient: httpClient, Mapper: newMapper()})
	if err != nil {
		return nil, fmt.Errorf("create a client for the hub: %w", err)
	}
	return out, nil
}

// Informers returns new informers of the mirrors and of the requests of this machine.
func (h *Home) Informers() (*kube.Informers, error) {
	objects := append(kube.MirrorObjects(), kube.RequestObjects()...)
	return kube.NewInformers(h.config, h.httpClient, source{client: h.Mirrors.client, namespace: h.namespace}, objects...)
}

// Probe finds out whether a hub that was away is back. The error is why it is still away.
func (h *Home) Probe(ctx context.Context) error {
	utilnet.CloseIdleConnectionsFor(h.inner) // of a network that may be another one now
	ctx, cancel := context.WithTimeout(asProbe(ctx), probeTimeout)
	defer cancel()
	// Once: a client repeats a request whose connection was reset.
	err := h.leases.RESTClient().Get().Namespace(h.namespace).Resource("leases").Name(hubv1.LeaseName).MaxRetries(0).Do(ctx).Error()
	switch {
	case apierrors.IsUnauthorized(err):
		return &UnauthorizedError{unauthorized}
	case err != nil && !isAnswer(err):
		return explained(err)
	}
	return nil
}

// Reopen lets requests pass after a Probe that succeeded.
func (h *Home) Reopen() { h.gate.open() }

// isAnswer reports whether an error is an answer of a hub that serves requests of this
// machine.
func isAnswer(err error) bool {
	status, ok := errors.AsType[interface {
		error
		Status() metav1.Status
	}](err)
	if !ok {
		return false
	}
	return status.Status().Code < http.StatusInternalServerError
}

// Events returns the recorder of events on the hub.
func (h *Home) Events() kube.Recorder { return h.events }

// Close ends the writes of events, and closes idle connections.
func (h *Home) Close() {
	h.events.close()
	utilnet.CloseIdleConnectionsFor(h.inner)
}
