package datastore

import (
	"context"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/kubernetes"
)

// operations are the calls that the API server's storage makes to etcd. Errors have
// the types of etcd's client, by which the storage recognises a compacted or a future
// revision.
type operations struct{ store *Store }

var _ kubernetes.Interface = operations{}

// Get implements [kubernetes.Interface].
func (o operations) Get(ctx context.Context, key string, opts kubernetes.GetOptions) (kubernetes.GetResponse, error) {
	kv, revision, err := o.store.get(ctx, key, opts.Revision)
	return kubernetes.GetResponse{KV: kv, Revision: revision}, rpctypes.Error(err)
}

// List implements [kubernetes.Interface].
func (o operations) List(ctx context.Context, prefix string, opts kubernetes.ListOptions) (kubernetes.ListResponse, error) {
	start := prefix
	if opts.Continue != "" {
		start = opts.Continue
	}
	page, err := o.store.list(ctx, start, clientv3.GetPrefixRangeEnd(prefix), opts.Limit, opts.Revision, false)
	return kubernetes.ListResponse{Kvs: page.kvs, Count: page.count, Revision: page.revision}, rpctypes.Error(err)
}

// Count implements [kubernetes.Interface].
func (o operations) Count(ctx context.Context, prefix string, _ kubernetes.CountOptions) (int64, error) {
	page, err := o.store.list(ctx, prefix, clientv3.GetPrefixRangeEnd(prefix), 1, 0, true)
	return page.count, rpctypes.Error(err)
}

// OptimisticPut implements [kubernetes.Interface].
func (o operations) OptimisticPut(ctx context.Context, key string, value []byte, expected int64, opts kubernetes.PutOptions) (kubernetes.PutResponse, error) {
	if opts.LeaseID != 0 {
		return kubernetes.PutResponse{}, errUnused("a lease")
	}
	if value == nil {
		value = []byte{} // nil is a deletion
	}
	outcome, err := o.store.write(ctx, change{key: key, value: value, expected: expected, durable: o.store.mustSync(ctx)})
	if err != nil {
		return kubernetes.PutResponse{}, rpctypes.Error(err)
	}
	response := kubernetes.PutResponse{Succeeded: outcome.done, Revision: outcome.revision}
	if opts.GetOnFailure {
		response.KV = outcome.found
	}
	return response, nil
}

// OptimisticDelete implements [kubernetes.Interface].
func (o operations) OptimisticDelete(ctx context.Context, key string, expected int64, opts kubernetes.DeleteOptions) (kubernetes.DeleteResponse, error) {
	outcome, err := o.store.write(ctx, change{key: key, expected: expected, durable: o.store.mustSync(ctx)})
	if err != nil {
		return kubernetes.DeleteResponse{}, rpctypes.Error(err)
	}
	response := kubernetes.DeleteResponse{Succeeded: outcome.done, Revision: outcome.revision}
	if opts.GetOnFailure {
		response.KV = outcome.found
	}
	return response, nil
}
