package install

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/go-logr/logr"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
)

// NewScheme returns a scheme with every type that administers a hub.
func NewScheme() (*runtime.Scheme, error) {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, rbacv1.AddToScheme, coordinationv1.AddToScheme, authenticationv1.AddToScheme,
		admissionv1.AddToScheme, flowcontrolv1.AddToScheme, apiextensionsv1.AddToScheme,
		containersv1.AddToScheme, hubv1.AddToScheme,
	} {
		if err := add(s); err != nil {
			return nil, fmt.Errorf("register the types of a hub: %w", err)
		}
	}
	return s, nil
}

// UnsuitableError reports an API server that cannot be a hub.
type UnsuitableError struct {
	// Server is the URL of the API server.
	Server string
	// Lacks is what the API server does not have.
	Lacks string
	// IsOwn is true if the API server is probably that of an rdd daemon.
	IsOwn bool
}

func (e *UnsuitableError) Error() string {
	if e.IsOwn {
		return fmt.Sprintf("the API server %s cannot be a hub, because it has no %s, as that of an rdd daemon: select a Kubernetes cluster with --context or --kubeconfig", e.Server, e.Lacks)
	}
	return fmt.Sprintf("the API server %s cannot be a hub, because it has no %s: use Kubernetes 1.30 or later", e.Server, e.Lacks)
}

// Connect returns a client for the administration of a hub, after a check that the API
// server can be one. It does not change config. Warnings of the API server are discarded,
// unless config has a handler for them.
func Connect(ctx context.Context, config *rest.Config) (client.Client, error) {
	config = rest.CopyConfig(config)
	if config.WarningHandler == nil && config.WarningHandlerWithContext == nil {
		config.WarningHandler = rest.NoWarnings{}
	}
	if err := checkServer(ctx, config); err != nil {
		return nil, err
	}
	scheme, err := NewScheme()
	if err != nil {
		return nil, err
	}
	// Without a logger, controller-runtime complains on standard error after 30 seconds.
	logger := logr.FromSlogHandler(slog.DiscardHandler)
	c, err := client.New(config, client.Options{Scheme: scheme, Log: logger})
	if err != nil {
		return nil, fmt.Errorf("create a client for %s: %w", config.Host, err)
	}
	return c, nil
}

// checkServer returns an *UnsuitableError if the API server cannot be a hub.
func checkServer(ctx context.Context, config *rest.Config) error {
	d, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return fmt.Errorf("create a client for %s: %w", config.Host, err)
	}
	for _, need := range []struct {
		version  schema.GroupVersion
		resource string
	}{
		{corev1.SchemeGroupVersion, "serviceaccounts"},
		{rbacv1.SchemeGroupVersion, "clusterroles"},
		{coordinationv1.SchemeGroupVersion, "leases"},
		{admissionv1.SchemeGroupVersion, "validatingadmissionpolicies"},
		{flowcontrolv1.SchemeGroupVersion, "flowschemas"},
	} {
		has, err := hasResource(ctx, d.RESTClient(), need.version, need.resource)
		if err != nil {
			return fmt.Errorf("ask the API server %s what it serves: %w", config.Host, err)
		}
		if !has {
			resource := need.version.WithResource(need.resource).GroupResource().String()
			return &UnsuitableError{Server: config.Host, Lacks: resource, IsOwn: need.version.Group == ""}
		}
	}
	return nil
}

func hasResource(ctx context.Context, r rest.Interface, version schema.GroupVersion, resource string) (bool, error) {
	path := "/apis/" + version.String()
	if version.Group == "" {
		path = "/api/" + version.Version
	}
	list := &metav1.APIResourceList{}
	err := r.Get().AbsPath(path).MaxRetries(0).Do(ctx).Into(list)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for _, one := range list.APIResources {
		if strings.EqualFold(one.Name, resource) {
			return true, nil
		}
	}
	return false, nil
}
