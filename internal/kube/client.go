package kube

import (
	"context"
	"fmt"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// Client reads and writes the App, requests and namespaces, without a cache. It is safe for
// concurrent use.
type Client struct {
	direct client.Client
}

// NewScheme returns a scheme with every type that the daemon uses.
func NewScheme() (*runtime.Scheme, error) {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, appv1.AddToScheme, containersv1.AddToScheme,
	} {
		if err := add(s); err != nil {
			return nil, fmt.Errorf("register API types: %w", err)
		}
	}
	return s, nil
}

// NewClient returns a client with config, which it does not change.
func NewClient(config *rest.Config) (*Client, error) { return NewClientFor(config, nil) }

// NewClientFor is NewClient with an HTTP client; nil means one for config.
func NewClientFor(config *rest.Config, httpClient *http.Client) (*Client, error) {
	scheme, err := NewScheme()
	if err != nil {
		return nil, err
	}
	direct, err := client.New(config, client.Options{Scheme: scheme, HTTPClient: httpClient, Mapper: newMapper()})
	if err != nil {
		return nil, fmt.Errorf("create a Kubernetes client: %w", err)
	}
	return &Client{direct: direct}, nil
}

// EnsureNamespace creates a Kubernetes namespace unless it exists.
func (c *Client) EnsureNamespace(ctx context.Context, name string) error {
	ns := &corev1.Namespace{}
	err := c.direct.Get(ctx, client.ObjectKey{Name: name}, ns)
	if apierrors.IsNotFound(err) {
		ns.ObjectMeta = metav1.ObjectMeta{Name: name}
		err = c.direct.Create(ctx, ns)
	}
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create namespace %s: %w", name, err)
	}
	return nil
}

// Get reads obj from the API server.
func (c *Client) Get(ctx context.Context, obj client.Object) error {
	return c.direct.Get(ctx, client.ObjectKeyFromObject(obj), obj)
}

// Create writes a new object, and updates obj to the stored one.
func (c *Client) Create(ctx context.Context, obj client.Object) error {
	return c.direct.Create(ctx, obj)
}

// UpdateStatus writes only the status of obj.
func (c *Client) UpdateStatus(ctx context.Context, obj client.Object) error {
	return c.direct.Status().Update(ctx, obj)
}

// Delete deletes the object if it has the UID and the resource version of obj.
func (c *Client) Delete(ctx context.Context, obj client.Object) error {
	uid, version := obj.GetUID(), obj.GetResourceVersion()
	return c.direct.Delete(ctx, obj, client.Preconditions{UID: &uid, ResourceVersion: &version})
}
