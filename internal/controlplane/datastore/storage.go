package datastore

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/registry/generic"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/apiserver/pkg/storage/etcd3"
	"k8s.io/apiserver/pkg/storage/storagebackend"
	"k8s.io/apiserver/pkg/storage/storagebackend/factory"
	"k8s.io/apiserver/pkg/storage/value/encrypt/identity"
	"k8s.io/client-go/tools/cache"
)

// prefix is the root of all keys, the same as in every Kubernetes API server.
const prefix = "/registry"

// RESTOptions returns what a registry needs to keep its objects in the datastore,
// encoded by codec in the group version that versioner picks.
//
// There is no watch cache: it would hold a second, decoded copy of every object,
// which the few informers of one process do not need. There is no garbage
// collector either, so the finalizer for foreground deletion is never set.
//
// Watches share their objects, so callers may only encode them.
func (s *Store) RESTOptions(codec runtime.Codec, versioner runtime.GroupVersioner) generic.RESTOptionsGetter {
	return s.options(codec, versioner, watchMode{shared: true})
}

// CustomResourceOptions returns RESTOptions for custom resources. Their watches send what is
// stored, without decoding it, to clients that request JSON of the stored version: what the
// server of custom resources stores is pruned, has its defaults, and is validated.
func (s *Store) CustomResourceOptions(codec runtime.Codec) generic.RESTOptionsGetter {
	return s.options(codec, nil, watchMode{shared: true, storesWhatIsServed: true})
}

// InProcessOptions returns RESTOptions for a registry whose watches get objects of
// the types in the codec's scheme. Each watch gets objects of its own.
func (s *Store) InProcessOptions(codec runtime.Codec) generic.RESTOptionsGetter {
	return s.options(codec, nil, watchMode{})
}

func (s *Store) options(codec runtime.Codec, versioner runtime.GroupVersioner, mode watchMode) generic.RESTOptionsGetter {
	config := storagebackend.NewDefaultConfig(prefix, codec)
	config.EncodeVersioner = versioner
	config.CompactionInterval = 0
	return optionsGetter{store: s, config: config, mode: mode}
}

type optionsGetter struct {
	store  *Store
	config *storagebackend.Config
	mode   watchMode
}

// GetRESTOptions implements [generic.RESTOptionsGetter].
func (g optionsGetter) GetRESTOptions(resource schema.GroupResource, _ runtime.Object) (generic.RESTOptions, error) {
	return generic.RESTOptions{
		StorageConfig:           g.config.ForResource(resource),
		Decorator:               g.storage,
		ResourcePrefix:          resource.Group + "/" + resource.Resource,
		DeleteCollectionWorkers: 4,
		EnableGarbageCollection: false,
	}, nil
}

// storage is the [generic.StorageDecorator] that creates the storage of a resource.
// All resources share the store's one client, which outlives them.
func (g optionsGetter) storage(
	config *storagebackend.ConfigForResource,
	resourcePrefix string,
	_ func(runtime.Object) (string, error),
	newFunc, newListFunc func() runtime.Object,
	_ storage.AttrFunc,
	_ storage.IndexerFuncs,
	_ *cache.Indexers,
) (storage.Interface, factory.DestroyFunc, error) {
	versioner, transformer := storage.APIObjectVersioner{}, identity.NewEncryptCheckTransformer()
	result, err := etcd3.New(g.store.client, nil, config.Codec, newFunc, newListFunc, config.Prefix, resourcePrefix,
		config.GroupResource, transformer, config.LeaseManagerConfig,
		etcd3.NewDefaultDecoder(config.Codec, versioner), versioner)
	if err != nil {
		return nil, nil, err
	}
	w := &watchStorage{
		Interface: result, store: g.store, codec: config.Codec, transformer: transformer, newFunc: newFunc,
		root: config.Prefix, prefix: resourcePrefix, watchMode: g.mode,
	}
	return w, result.Close, nil
}
