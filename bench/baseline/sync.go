package baseline

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
)

// Mirrorer mirrors one engine into one Kubernetes namespace. Its methods must
// not be called concurrently.
type Mirrorer struct {
	engine    docker.API
	client    client.Client
	namespace string
}

// name and key of one mirror.
type key struct {
	kind containersv1.Kind
	name string
}

// New returns a Mirrorer that writes through tls, which is the configuration of
// an external client: TLS and a bearer token. A rate limit in it is ignored. The first
// Sync creates the Kubernetes namespace.
func New(engine docker.API, tls *rest.Config, namespace string) (*Mirrorer, error) {
	config := rest.CopyConfig(tls)
	config.QPS = -1
	scheme, mapper, err := kinds()
	if err != nil {
		return nil, err
	}
	c, err := client.New(config, client.Options{Scheme: scheme, Mapper: mapper})
	if err != nil {
		return nil, fmt.Errorf("make the baseline's client: %w", err)
	}
	return &Mirrorer{engine: engine, client: c, namespace: namespace}, nil
}

// kinds registers rdd's Go types under the baseline's group.
func kinds() (*runtime.Scheme, meta.RESTMapper, error) {
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		return nil, nil, fmt.Errorf("register API types: %w", err)
	}
	metav1.AddToGroupVersion(scheme, GroupVersion)
	mapper := meta.NewDefaultRESTMapper(nil)
	mapper.Add(corev1.SchemeGroupVersion.WithKind("Namespace"), meta.RESTScopeRoot)
	for _, kind := range containersv1.Kinds() {
		scheme.AddKnownTypes(GroupVersion, containersv1.NewMirror(kind), containersv1.NewMirrorList(kind))
		mapper.Add(GroupVersion.WithKind(string(kind)), meta.RESTScopeNamespace)
	}
	return scheme, mapper, nil
}

// Sync writes a mirror for each object of the engine, and removes mirrors without an
// object. It returns the first error.
func (m *Mirrorer) Sync(ctx context.Context) error {
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: m.namespace}}
	if err := client.IgnoreAlreadyExists(m.client.Create(ctx, ns)); err != nil {
		return fmt.Errorf("create namespace %s: %w", m.namespace, err)
	}
	moby := &containersv1.ContainerNamespace{}
	moby.Name, moby.Status.Name = containersv1.MobyNamespace, containersv1.MobyNamespace
	if err := m.apply(ctx, moby); err != nil {
		return err
	}
	kept := map[key]bool{{containersv1.KindContainerNamespace, moby.Name}: true}
	for _, kind := range []containersv1.Kind{containersv1.KindImage, containersv1.KindContainer, containersv1.KindVolume} {
		if err := m.syncKind(ctx, kind, kept); err != nil {
			return err
		}
	}
	return m.prune(ctx, kept)
}

// syncKind lists a kind, and inspects the objects of which the list has not every field.
func (m *Mirrorer) syncKind(ctx context.Context, kind containersv1.Kind, kept map[key]bool) error {
	objects, err := m.engine.List(ctx, kind)
	if err != nil {
		return err
	}
	for _, object := range objects {
		mirrors := []containersv1.Mirror{object.Mirror}
		if object.Mirror == nil {
			if mirrors, err = m.engine.Inspect(ctx, kind, object.ID); err != nil {
				return err
			}
		}
		for _, mirror := range mirrors {
			if err := m.keep(ctx, mirror, kept); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *Mirrorer) keep(ctx context.Context, obj containersv1.Mirror, kept map[key]bool) error {
	kept[key{obj.MirrorKind(), obj.GetName()}] = true
	return m.apply(ctx, obj)
}
