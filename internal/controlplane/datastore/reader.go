package datastore

import (
	"context"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// reader is the part of etcd's key-value API that the storage uses in addition to
// [operations]: it reads a key or a range at the start of a watch.
type reader struct{ store *Store }

var _ clientv3.KV = reader{}

// Get implements [clientv3.KV].
func (r reader) Get(ctx context.Context, key string, opts ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	op := clientv3.OpGet(key, opts...)
	if end := string(op.RangeBytes()); end != "" {
		page, err := r.store.list(ctx, key, end, op.Limit(), op.Rev(), op.IsKeysOnly())
		if err != nil {
			return nil, rpctypes.Error(err)
		}
		return &clientv3.GetResponse{
			Header: &etcdserverpb.ResponseHeader{Revision: page.revision},
			Kvs:    page.kvs,
			Count:  page.count,
			More:   page.more,
		}, nil
	}
	kv, revision, err := r.store.get(ctx, key, op.Rev())
	if err != nil {
		return nil, rpctypes.Error(err)
	}
	response := &clientv3.GetResponse{Header: &etcdserverpb.ResponseHeader{Revision: revision}}
	if kv != nil {
		response.Kvs, response.Count = []*mvccpb.KeyValue{kv}, 1
	}
	return response, nil
}

// errUnused is the error of calls that the storage never makes, or makes only to
// probe for a feature. Its code makes the storage fall back.
func errUnused(what string) error {
	return status.Errorf(codes.Unimplemented, "%s is not part of the embedded datastore", what)
}

// GetStream implements [clientv3.KV]: the storage falls back to Get.
func (reader) GetStream(context.Context, string, ...clientv3.OpOption) (clientv3.GetStreamChan, error) {
	return nil, errUnused("GetStream")
}

// Put implements [clientv3.KV].
func (reader) Put(context.Context, string, string, ...clientv3.OpOption) (*clientv3.PutResponse, error) {
	return nil, errUnused("Put")
}

// Delete implements [clientv3.KV].
func (reader) Delete(context.Context, string, ...clientv3.OpOption) (*clientv3.DeleteResponse, error) {
	return nil, errUnused("Delete")
}

// Compact implements [clientv3.KV]: the store compacts itself.
func (reader) Compact(context.Context, int64, ...clientv3.CompactOption) (*clientv3.CompactResponse, error) {
	return nil, errUnused("Compact")
}

// Do implements [clientv3.KV].
func (reader) Do(context.Context, clientv3.Op) (clientv3.OpResponse, error) {
	return clientv3.OpResponse{}, errUnused("Do")
}

// Txn implements [clientv3.KV]. The storage's transactions are the optimistic
// writes of [operations].
func (reader) Txn(context.Context) clientv3.Txn { return unusedTxn{} }

// unusedWatcher is the [clientv3.Watcher] that the client needs and nothing uses:
// [watchStorage] has watches of its own.
type unusedWatcher struct{}

// Watch implements [clientv3.Watcher].
func (unusedWatcher) Watch(context.Context, string, ...clientv3.OpOption) clientv3.WatchChan {
	closed := make(chan clientv3.WatchResponse)
	close(closed)
	return closed
}

// RequestProgress implements [clientv3.Watcher].
func (unusedWatcher) RequestProgress(context.Context) error { return errUnused("RequestProgress") }

// Close implements [clientv3.Watcher].
func (unusedWatcher) Close() error { return nil }

type unusedTxn struct{}

func (t unusedTxn) If(...clientv3.Cmp) clientv3.Txn  { return t }
func (t unusedTxn) Then(...clientv3.Op) clientv3.Txn { return t }
func (t unusedTxn) Else(...clientv3.Op) clientv3.Txn { return t }
func (unusedTxn) Commit() (*clientv3.TxnResponse, error) {
	return nil, errUnused("Txn")
}

// unusedLease is the [clientv3.Lease] of an object that expires, which no resource in the
// datastore has.
type unusedLease struct{ clientv3.Lease }

// Grant implements [clientv3.Lease].
func (unusedLease) Grant(context.Context, int64) (*clientv3.LeaseGrantResponse, error) {
	return nil, errUnused("a lease")
}

// Close implements [clientv3.Lease].
func (unusedLease) Close() error { return nil }
