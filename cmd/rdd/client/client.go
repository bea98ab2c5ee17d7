// Package client talks to the daemon of one instance, through the API server that
// the kubeconfig of the instance names.
//
// Reading map: client.go has the client and its requests, wait.go waits until the
// App has settled, counts.go counts mirrors, resolve.go finds what a user names,
// names.go finds the resources of what a user names, streams.go opens streams of
// containers, requests.go creates and follows requests, namespaced.go writes a
// kubeconfig with another default namespace.
package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/ui"
)

// appPath is the path of Apps in the API server.
const appPath = "/apis/app.rancherdesktop.io/v1alpha1/apps"

// appCRD is the name of the App's CustomResourceDefinition.
const appCRD = "apps.app.rancherdesktop.io"

// FieldManager is the field manager of changes that the command line makes.
const FieldManager = "rdd-cli"

// NoDaemonError reports that no daemon runs for an instance.
type NoDaemonError struct {
	Instance string
}

func (e *NoDaemonError) Error() string {
	return fmt.Sprintf("no daemon runs for instance %q: start it with 'rdd --instance %s svc start'", e.Instance, e.Instance)
}

// Client talks to one API server.
type Client struct {
	rest rest.Interface
	host string
	// alive reports whether the daemon's process exists; nil if that is not known.
	alive func() bool
}

// New returns a client for the instance's daemon. It does not connect yet.
func New(inst instance.Instance) (*Client, error) {
	config, err := Config(inst)
	if err != nil {
		return nil, err
	}
	return NewForConfig(config, func() bool {
		_, running, err := instance.Running(inst.PidFile)
		return running || err != nil
	})
}

// Config reads the instance's kubeconfig.
func Config(inst instance.Instance) (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", inst.Config)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &NoDaemonError{Instance: inst.Name}
	}
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig %s: %w", inst.Config, err)
	}
	return config, nil
}

// NewForConfig returns a client for the API server of config. alive reports whether
// the daemon's process exists, and can be nil.
func NewForConfig(config *rest.Config, alive func() bool) (*Client, error) {
	scheme := runtime.NewScheme()
	metav1.AddToGroupVersion(scheme, metav1.Unversioned)
	for _, add := range []func(*runtime.Scheme) error{
		metav1.AddMetaToScheme, appv1.AddToScheme, containersv1.AddToScheme, apiextensionsv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("register resources: %w", err)
		}
	}
	config = rest.CopyConfig(config)
	config.QPS = -1 // no rate limit for a server of the same user
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	if config.UserAgent == "" {
		config.UserAgent = rest.DefaultKubernetesUserAgent()
	}
	restClient, err := rest.UnversionedRESTClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("make a client for %s: %w", config.Host, err)
	}
	return &Client{rest: restClient, host: config.Host, alive: alive}, nil
}

// Host returns the URL of the API server.
func (c *Client) Host() string { return c.host }

// Ready returns an error until the API server is ready and this daemon, not an
// earlier one, has written the status of the App.
func (c *Client) Ready(ctx context.Context) error {
	for _, path := range []string{"/readyz", "/rdd/ready"} {
		if err := c.rest.Get().AbsPath(path).MaxRetries(0).Do(ctx).Error(); err != nil {
			return fmt.Errorf("the daemon at %s is not ready (%s): %w", c.host, path, err)
		}
	}
	return nil
}

// App reads the App.
func (c *Client) App(ctx context.Context) (*appv1.App, error) {
	app := &appv1.App{}
	if err := c.rest.Get().AbsPath(appPath, appv1.AppName).MaxRetries(0).Do(ctx).Into(app); err != nil {
		return nil, fmt.Errorf("read App %q: %w", appv1.AppName, err)
	}
	return app, nil
}

// PatchApp applies a JSON merge patch to the App. A dry run goes through
// defaulting and admission, and changes nothing.
func (c *Client) PatchApp(ctx context.Context, patch []byte, dryRun bool) (*appv1.App, error) {
	request := c.rest.Patch(types.MergePatchType).AbsPath(appPath, appv1.AppName).
		Param("fieldManager", FieldManager).Param("fieldValidation", metav1.FieldValidationStrict).Body(patch)
	if dryRun {
		request.Param("dryRun", metav1.DryRunAll)
	}
	app := &appv1.App{}
	if err := request.Do(ctx).Into(app); err != nil {
		return nil, fmt.Errorf("change App %q: %w", appv1.AppName, err)
	}
	return app, nil
}

// AppDefinition reads the App's CustomResourceDefinition, which has the schema.
func (c *Client) AppDefinition(ctx context.Context) (*apiextensionsv1.CustomResourceDefinition, error) {
	crd := &apiextensionsv1.CustomResourceDefinition{}
	path := "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
	if err := c.rest.Get().AbsPath(path, appCRD).Do(ctx).Into(crd); err != nil {
		return nil, fmt.Errorf("read the schema of the App: %w", err)
	}
	return crd, nil
}

// Tree reads the supervision tree into nodes, a slice of what the daemon sends.
func (c *Client) Tree(ctx context.Context, nodes any) error {
	body, err := c.rest.Get().AbsPath("/rdd/tree").Do(ctx).Raw()
	if err != nil {
		return fmt.Errorf("read the supervision tree: %w", err)
	}
	if err := json.Unmarshal(body, &struct {
		Nodes any `json:"nodes"`
	}{nodes}); err != nil {
		return fmt.Errorf("decode the supervision tree: %w", err)
	}
	return nil
}

// Version reads the version of the daemon from the daemon itself. It is empty for a
// daemon that is too old to report it.
func (c *Client) Version(ctx context.Context) (string, error) {
	body, err := c.rest.Get().AbsPath("/rdd/version").MaxRetries(0).Do(ctx).Raw()
	if apierrors.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the version of the daemon at %s: %w", c.host, err)
	}
	var answer struct {
		Version string `json:"version"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return "", fmt.Errorf("decode the version of the daemon: %w", err)
	}
	return answer.Version, nil
}

// Shutdown requests the daemon to end. With keepVM the engine keeps running. It
// returns when the daemon has accepted the request, not when it has ended.
func (c *Client) Shutdown(ctx context.Context, keepVM bool) error {
	err := c.rest.Post().AbsPath("/rdd/shutdown").Param("keepVM", strconv.FormatBool(keepVM)).
		MaxRetries(0).Do(ctx).Error()
	if err != nil {
		return fmt.Errorf("request the shutdown of the daemon at %s: %w", c.host, err)
	}
	return nil
}

// JoinChanged makes the daemon read again which hub this machine has joined. It returns when
// the daemon has accepted the request.
func (c *Client) JoinChanged(ctx context.Context) error {
	if err := c.rest.Post().AbsPath("/rdd/hub").MaxRetries(0).Do(ctx).Error(); err != nil {
		return fmt.Errorf("report a join to the daemon at %s: %w", c.host, err)
	}
	return nil
}

// ReplaceToken lets the daemon replace the token of a role. The former one is invalid
// when ReplaceToken returns.
func (c *Client) ReplaceToken(ctx context.Context, role string) error {
	err := c.rest.Post().AbsPath("/rdd/token").Param("role", role).MaxRetries(0).Do(ctx).Error()
	if err != nil {
		return fmt.Errorf("replace the %s token of the daemon at %s: %w", role, c.host, err)
	}
	return nil
}

// LoginToPage returns a new address that logs one browser in, within 30 seconds.
func (c *Client) LoginToPage(ctx context.Context) (ui.Login, error) {
	var login ui.Login
	body, err := c.rest.Post().AbsPath(ui.ControlPath).MaxRetries(0).Do(ctx).Raw()
	if err == nil {
		err = json.Unmarshal(body, &login)
	}
	if err != nil {
		return login, fmt.Errorf("request a login of the page from the daemon at %s: %w", c.host, err)
	}
	return login, nil
}

// EndPageSessions ends all sessions of the page, and returns their number.
func (c *Client) EndPageSessions(ctx context.Context) (int, error) {
	var ended ui.Ended
	body, err := c.rest.Delete().AbsPath(ui.ControlPath).MaxRetries(0).Do(ctx).Raw()
	if err == nil {
		err = json.Unmarshal(body, &ended)
	}
	if err != nil {
		return 0, fmt.Errorf("end the sessions of the page at %s: %w", c.host, err)
	}
	return ended.Sessions, nil
}

// KubeconfigText returns the instance's kubeconfig file.
func KubeconfigText(inst instance.Instance) ([]byte, error) {
	text, err := os.ReadFile(inst.Config)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("instance %q has no kubeconfig yet, because its daemon never ran: start it with 'rdd --instance %s svc start'", inst.Name, inst.Name)
	}
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	return text, nil
}
