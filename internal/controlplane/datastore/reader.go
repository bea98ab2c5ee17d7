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

// reader is the part of etcd's key-value API that the storage uses beside
// [operations]: reading a range, at the start of a watch.
type reader struct {
	store *Store
}

var _ clientv3.KV = reader{}

// page is one page of a range.
type page struct {
	kvs      []*mvccpb.KeyValue
	revision int64
	// count of keys in the range, those behind the page included.
	count int64
	more  bool
}

// page reads up to limit keys (0: all) of [start, end) at revision (0: now).
func (s *Store) page(ctx context.Context, start, end string, limit, revision int64, keysOnly bool) (page, error) {
	ask := limit
	if ask > 0 {
		ask++ // one more tells whether there is more
	}
	batch, err := s.log.List(ctx, start, end, ask, revision, false, keysOnly)
	if err != nil {
		return page{}, err
	}
	result := page{revision: batch.CurrentRev, count: int64(len(batch.Events))}
	if revision > 0 {
		result.revision = revision
	}
	events := batch.Events
	if limit > 0 && int64(len(events)) > limit {
		events = events[:limit]
		result.more = true
		if _, result.count, err = s.log.Count(ctx, start, end, result.revision); err != nil {
			return page{}, err
		}
	}
	result.kvs = make([]*mvccpb.KeyValue, len(events))
	for i, event := range events {
		result.kvs[i] = keyValue(event.KV)
	}
	return result, nil
}

// Get implements [clientv3.KV].
func (r reader) Get(ctx context.Context, key string, opts ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	op := clientv3.OpGet(key, opts...)
	limit := op.Limit()
	if len(op.RangeBytes()) == 0 {
		limit = 0
	}
	page, err := r.store.page(ctx, key, string(op.RangeBytes()), limit, op.Rev(), op.IsKeysOnly())
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

// errUnused answers the calls that the storage never makes, and with the code
// that makes it fall back where it only probes.
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

// Compact implements [clientv3.KV]: kine's log compacts itself.
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

type unusedTxn struct{}

func (t unusedTxn) If(...clientv3.Cmp) clientv3.Txn  { return t }
func (t unusedTxn) Then(...clientv3.Op) clientv3.Txn { return t }
func (t unusedTxn) Else(...clientv3.Op) clientv3.Txn { return t }
func (unusedTxn) Commit() (*clientv3.TxnResponse, error) {
	return nil, errUnused("Txn")
}
