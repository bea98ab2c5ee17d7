package datastore

import (
	"context"
	"errors"

	"github.com/k3s-io/kine/pkg/server"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/kubernetes"
)

// operations answers what the API server's storage asks of etcd. Unlike kine's
// own etcd emulation it reports a write that failed as failed: a full disk must
// reach the client as an error, never as a success or a conflict.
type operations struct{ store *Store }

var _ kubernetes.Interface = operations{}

// Get implements [kubernetes.Interface].
func (o operations) Get(ctx context.Context, key string, opts kubernetes.GetOptions) (kubernetes.GetResponse, error) {
	batch, err := o.store.log.List(ctx, key, "", 1, opts.Revision, false, false)
	if err != nil {
		return kubernetes.GetResponse{}, rpctypes.Error(err)
	}
	response := kubernetes.GetResponse{Revision: batch.CurrentRev}
	if len(batch.Events) > 0 {
		response.KV = keyValue(batch.Events[0].KV)
	}
	return response, nil
}

// List implements [kubernetes.Interface]. Count is the number of keys from the
// start of this page to the end of the range.
func (o operations) List(ctx context.Context, prefix string, opts kubernetes.ListOptions) (kubernetes.ListResponse, error) {
	start := prefix
	if opts.Continue != "" {
		start = opts.Continue
	}
	page, err := o.store.page(ctx, start, clientv3.GetPrefixRangeEnd(prefix), opts.Limit, opts.Revision, false)
	if err != nil {
		return kubernetes.ListResponse{}, rpctypes.Error(err)
	}
	return kubernetes.ListResponse{Kvs: page.kvs, Count: page.count, Revision: page.revision}, nil
}

// Count implements [kubernetes.Interface].
func (o operations) Count(ctx context.Context, prefix string, _ kubernetes.CountOptions) (int64, error) {
	_, count, err := o.store.log.Count(ctx, prefix, clientv3.GetPrefixRangeEnd(prefix), 0)
	return count, rpctypes.Error(err)
}

// OptimisticPut implements [kubernetes.Interface].
func (o operations) OptimisticPut(ctx context.Context, key string, value []byte, expected int64, opts kubernetes.PutOptions) (kubernetes.PutResponse, error) {
	event := &server.Event{
		Create: expected == 0,
		KV:     &server.KeyValue{Key: key, Value: value, Lease: int64(opts.LeaseID)},
		PrevKV: &server.KeyValue{ModRevision: expected},
	}
	revision, err := o.store.append(ctx, event)
	if err != nil {
		return kubernetes.PutResponse{}, rpctypes.Error(err)
	}
	if revision > 0 {
		return kubernetes.PutResponse{Succeeded: true, Revision: revision}, nil
	}
	response := kubernetes.PutResponse{}
	if response.KV, response.Revision, err = o.onFailure(ctx, key, opts.GetOnFailure); err != nil {
		return kubernetes.PutResponse{}, err
	}
	return response, nil
}

// OptimisticDelete implements [kubernetes.Interface].
func (o operations) OptimisticDelete(ctx context.Context, key string, expected int64, opts kubernetes.DeleteOptions) (kubernetes.DeleteResponse, error) {
	event := &server.Event{
		Delete: true,
		KV:     &server.KeyValue{Key: key},
		PrevKV: &server.KeyValue{ModRevision: expected},
	}
	revision, err := o.store.append(ctx, event)
	if err != nil {
		return kubernetes.DeleteResponse{}, rpctypes.Error(err)
	}
	if revision > 0 {
		return kubernetes.DeleteResponse{Succeeded: true, Revision: revision}, nil
	}
	response := kubernetes.DeleteResponse{}
	if response.KV, response.Revision, err = o.onFailure(ctx, key, opts.GetOnFailure); err != nil {
		return kubernetes.DeleteResponse{}, err
	}
	return response, nil
}

// onFailure reads what a write did not expect to find.
func (o operations) onFailure(ctx context.Context, key string, wanted bool) (*mvccpb.KeyValue, int64, error) {
	if !wanted {
		revision, err := o.store.log.CurrentRevision(ctx)
		return nil, revision, rpctypes.Error(err)
	}
	event, revision, err := o.store.latest(ctx, key, false)
	if err != nil {
		return nil, 0, rpctypes.Error(err)
	}
	if event == nil {
		return nil, revision, nil
	}
	return keyValue(event.KV), revision, nil
}

// append writes one event and returns its revision, or 0 when the key is not at
// the revision that the event expects.
func (s *Store) append(ctx context.Context, event *server.Event) (int64, error) {
	s.write.Lock()
	defer s.write.Unlock()
	revision, err := s.log.Append(ctx, event)
	if err != nil && !errors.Is(err, server.ErrKeyExists) {
		return 0, err
	}
	if revision > 0 && err == nil {
		return revision, nil
	}
	if !event.Create {
		return 0, nil
	}
	// A key that was deleted and not yet compacted is continued from its
	// deletion.
	last, _, err := s.latest(ctx, event.KV.Key, true)
	if err != nil || last == nil || !last.Delete {
		return 0, err
	}
	event.PrevKV.ModRevision = last.KV.ModRevision
	revision, err = s.log.Append(ctx, event)
	if err != nil && !errors.Is(err, server.ErrKeyExists) {
		return 0, err
	}
	return revision, nil
}

func keyValue(kv *server.KeyValue) *mvccpb.KeyValue {
	if kv == nil {
		return nil
	}
	return &mvccpb.KeyValue{
		Key:            []byte(kv.Key),
		Value:          kv.Value,
		Lease:          kv.Lease,
		CreateRevision: kv.CreateRevision,
		ModRevision:    kv.ModRevision,
	}
}
