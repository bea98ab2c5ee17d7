package datastore

import (
	"context"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/apiserver/pkg/registry/generic"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/apiserver/pkg/storage/etcd3"
	"k8s.io/apiserver/pkg/storage/storagebackend"
	"k8s.io/apiserver/pkg/storage/storagebackend/factory"
	"k8s.io/apiserver/pkg/storage/value/encrypt/identity"
	"k8s.io/client-go/tools/cache"
)

// prefix is the root of all keys, as every Kubernetes API server has it.
const prefix = "/registry"

// RESTOptions returns what the registries need to keep their objects here,
// encoded by codec in the group version that versioner picks.
//
// There is no watch cache: it would hold a second, decoded copy of every object
// for watches that one process's few informers do not need. And there is no
// garbage collector, so an owner's foreground deletion finalizer is never set.
func (s *Store) RESTOptions(codec runtime.Codec, versioner runtime.GroupVersioner) generic.RESTOptionsGetter {
	config := storagebackend.NewDefaultConfig(prefix, codec)
	config.EncodeVersioner = versioner
	config.CompactionInterval = 0
	return optionsGetter{store: s, config: config}
}

type optionsGetter struct {
	store  *Store
	config *storagebackend.Config
}

// GetRESTOptions implements [generic.RESTOptionsGetter].
func (g optionsGetter) GetRESTOptions(resource schema.GroupResource, _ runtime.Object) (generic.RESTOptions, error) {
	return generic.RESTOptions{
		StorageConfig:           g.config.ForResource(resource),
		Decorator:               g.store.storage,
		ResourcePrefix:          resource.Group + "/" + resource.Resource,
		DeleteCollectionWorkers: 4,
		EnableGarbageCollection: false,
	}, nil
}

// storage is the [generic.StorageDecorator] that makes a resource's storage. All
// resources share the store's one client, which outlives them.
func (s *Store) storage(
	config *storagebackend.ConfigForResource,
	resourcePrefix string,
	_ func(runtime.Object) (string, error),
	newFunc, newListFunc func() runtime.Object,
	_ storage.AttrFunc,
	_ storage.IndexerFuncs,
	_ *cache.Indexers,
) (storage.Interface, factory.DestroyFunc, error) {
	versioner := storage.APIObjectVersioner{}
	result, err := etcd3.New(s.client, nil, config.Codec, newFunc, newListFunc, config.Prefix, resourcePrefix,
		config.GroupResource, identity.NewEncryptCheckTransformer(), config.LeaseManagerConfig,
		etcd3.NewDefaultDecoder(config.Codec, versioner), versioner)
	if err != nil {
		return nil, nil, err
	}
	return knownRevisions{Interface: result, store: s}, result.Close, nil
}

// knownRevisions is a storage that rejects a watch from a revision of the future
// before it begins, as kube-apiserver does. etcd's client would report it within
// the watch, as an internal error, to which clients react by retrying.
type knownRevisions struct {
	storage.Interface

	store *Store
}

// Watch implements [storage.Interface].
func (k knownRevisions) Watch(ctx context.Context, key string, opts storage.ListOptions) (watch.Interface, error) {
	requested, err := k.Versioner().ParseResourceVersion(opts.ResourceVersion)
	if err != nil {
		return nil, err
	}
	// There is no replica that lags behind, so waiting does not help.
	const retryAfter = 0
	if now := uint64(k.store.revision()); requested > now { //nolint:gosec // revisions begin at 1
		return nil, storage.NewTooLargeResourceVersionError(requested, now, retryAfter)
	}
	return k.Interface.Watch(ctx, key, opts)
}
