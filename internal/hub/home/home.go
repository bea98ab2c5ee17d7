package home

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
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
	gate       *gate
	// direct sends requests of other types.
	direct client.Client
	leases *coordinationclient.CoordinationV1Client
}

// Open returns the Home of a machine. It sends no request.
func Open(join *Join, ledger *Ledger, observer Observer) (*Home, error) {
	config, err := join.RESTConfig()
	if err != nil {
		return nil, err
	}
	h := &Home{Ledger: ledger, namespace: join.Machine, gate: &gate{closed: observer.Away}}
	config.QPS, config.Burst = requestsPerSecond, requestsPerSecond
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		h.gate.next = &refusals{next: &fence{next: next}, changed: observer.Refused, classes: map[class]*refusal{}}
		return h.gate
	})
	h.config = config
	// Each client uses this one, because there is one gate, and one Lease.
	if h.httpClient, err = rest.HTTPClientFor(config); err != nil {
		return nil, fmt.Errorf("prepare the connection to the hub: %w", err)
	}
	return h, h.openClients()
}

func (h *Home) openClients() (err error) {
	if h.Client, err = kube.NewClientFor(h.config, h.httpClient); err != nil {
		return err
	}
	if h.direct, err = newDirect(h.config, h.httpClient); err != nil {
		return err
	}
	if h.Mirrors, err = NewMirrors(h.config, h.httpClient); err != nil {
		return err
	}
	leases := *h.httpClient
	leases.Timeout = leaseTimeout
	if h.leases, err = coordinationclient.NewForConfigAndClient(h.config, &leases); err != nil {
		return fmt.Errorf("create a client for the Lease: %w", err)
	}
	return nil
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

// Informers returns new informers of the mirrors and the requests of this machine.
func (h *Home) Informers() (*kube.Informers, error) {
	return kube.NewInformers(h.config, h.httpClient, source{client: h.Mirrors.client, namespace: h.namespace},
		slices.Concat(kube.MirrorObjects(), kube.RequestObjects())...)
}

// Probe finds out whether a hub that was away is back, and lets requests pass if so. The
// error is why it is still away.
func (h *Home) Probe(ctx context.Context) error {
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
	h.gate.open()
	return nil
}

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

// Away returns why requests are not sent, or nil.
func (h *Home) Away() error { return h.gate.why() }

// Close closes idle connections.
func (h *Home) Close() { h.httpClient.CloseIdleConnections() }
