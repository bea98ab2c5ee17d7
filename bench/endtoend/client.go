package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

// Resources that mirror an engine.
const (
	containers = "containers"
	images     = "images"
	volumes    = "volumes"
	namespaces = "containernamespaces"
)

// apiClient reads an API with mirrors over TLS. It decodes only the few fields that
// matter, since it shares the cores with the daemon that is measured.
type apiClient struct {
	rest  rest.Interface
	group schema.GroupVersion
}

// newClient reads a kubeconfig, and sends no request.
func newClient(kubeconfig string, group schema.GroupVersion) (*apiClient, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	client, err := restClient(config)
	return &apiClient{rest: client, group: group}, err
}

// restClient changes config.
func restClient(config *rest.Config) (*rest.RESTClient, error) {
	config.QPS = -1
	config.NegotiatedSerializer = serializer.NewCodecFactory(runtime.NewScheme()).WithoutConversion()
	client, err := rest.UnversionedRESTClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	return client, nil
}

// newRdd returns the API of the daemon under test.
func newRdd(d *rddtest.Daemon) (*apiClient, error) {
	return newClient(d.Kubeconfig(), containersv1.GroupVersion)
}

// mirror has the fields of all mirrored kinds that are used here.
type mirror struct {
	Metadata struct {
		Name            string `json:"name"`
		UID             string `json:"uid"`
		ResourceVersion string `json:"resourceVersion"`
	} `json:"metadata"`
	Status struct {
		ID      string `json:"id"`
		RepoTag string `json:"repoTag"`
		Name    string `json:"name"`
		Status  string `json:"status"`
	} `json:"status"`
}

// identity returns the engine's name of the object. It is empty while the mirror has no
// status.
func (m *mirror) identity(resource string) string {
	switch {
	case resource == containers && m.Status.Status != "":
		return resource + "/" + m.Metadata.Name
	case resource == images && m.Status.RepoTag != "":
		return resource + "/" + m.Status.RepoTag
	case resource == images && m.Status.ID != "":
		return resource + "/" + m.Status.ID
	case (resource == volumes || resource == namespaces) && m.Status.Name != "":
		return resource + "/" + m.Status.Name
	default:
		return ""
	}
}

func (s *apiClient) path(resource string) string {
	return "/apis/" + s.group.String() + "/namespaces/" + appv1.DefaultNamespace + "/" + resource
}

// revision returns the revision of the datastore, which each write raises by one.
func (s *apiClient) revision(ctx context.Context) (int64, error) {
	var list struct {
		Metadata struct {
			ResourceVersion string `json:"resourceVersion"`
		} `json:"metadata"`
	}
	if err := s.get(ctx, s.path(namespaces), &list); err != nil {
		return 0, err
	}
	return strconv.ParseInt(list.Metadata.ResourceVersion, 10, 64)
}

// fingerprint returns UID and resourceVersion of every mirror by kind and name.
func (s *apiClient) fingerprint(ctx context.Context) (map[string]string, error) {
	prints := make(map[string]string)
	for _, resource := range []string{containers, images, volumes, namespaces} {
		var list struct {
			Items []mirror `json:"items"`
		}
		if err := s.get(ctx, s.path(resource), &list); err != nil {
			return nil, err
		}
		for _, item := range list.Items {
			prints[resource+"/"+item.Metadata.Name] = item.Metadata.UID + " " + item.Metadata.ResourceVersion
		}
	}
	return prints, nil
}

func (s *apiClient) get(ctx context.Context, path string, out any) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	body, err := s.rest.Get().AbsPath(path).MaxRetries(0).Do(ctx).Raw()
	if err != nil {
		return fmt.Errorf("get %s: %w", path, err)
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("get %s: %w", path, err)
	}
	return nil
}

// patchApp changes the App's spec, and returns the generation of the change.
func (s *apiClient) patchApp(ctx context.Context, spec string) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	body, err := s.rest.Patch(types.MergePatchType).AbsPath(appPath, appv1.AppName).
		Body([]byte(`{"spec":` + spec + `}`)).Do(ctx).Raw()
	if err != nil {
		return 0, fmt.Errorf("change the App to %s: %w", spec, err)
	}
	var a app
	if err := json.Unmarshal(body, &a); err != nil {
		return 0, fmt.Errorf("change the App to %s: %w", spec, err)
	}
	return a.Metadata.Generation, nil
}

// hashed returns a name with a hash, since names and IDs of real objects differ early.
func hashed(prefix string, i int) string {
	return fmt.Sprintf("%s-%x", prefix, sha256.Sum256(fmt.Append(nil, prefix, i)))[:len(prefix)+13]
}

// timeout limits every wait.
const timeout = 5 * time.Minute

const appPath = "/apis/app.rancherdesktop.io/v1alpha1/apps"
