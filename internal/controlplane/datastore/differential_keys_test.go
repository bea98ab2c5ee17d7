package datastore

import (
	"context"
	"fmt"
	"strings"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/kubernetes"
)

// rawPath is below the root of the keys that no object has.
const rawPath = "/raw/"

// rawKey returns a random key without an object. Some are prefixes of others.
func (d *differential) rawKey() string { return rawPath + pick(d, "k", "k/", "k/a", "k0", "l") }

// rawVersion returns a random revision for etcd's client.
func (d *differential) rawVersion() (text string, of func(*backend) int64) {
	switch d.random.IntN(5) {
	case 0:
		return "future", func(b *backend) int64 { return b.revisions[len(b.revisions)-1] + 1_000_000_000 }
	case 1, 2:
		return "latest", func(*backend) int64 { return 0 }
	}
	index := d.random.IntN(d.last() + 1)
	return fmt.Sprintf("r%d", index), func(b *backend) int64 { return b.revisions[index] }
}

// rawOperation is one of etcd's client.
func (d *differential) rawOperation() operation {
	key := d.rawKey()
	text, at := d.rawVersion()
	limit := pick(d, 0, 1, 2)
	switch d.random.IntN(8) {
	case 0, 1, 2, 3:
		return d.rawWrite(key)
	case 4:
		return operation{text: "raw get " + key + " at " + text, run: func(ctx context.Context, b *backend) string {
			response, err := b.keys.Get(ctx, b.root+key, kubernetes.GetOptions{Revision: at(b)})
			if err != nil {
				return errorKind(err)
			}
			return "at " + b.revision(response.Revision) + " " + b.keyValue(response.KV)
		}}
	case 5:
		return operation{text: "raw count " + key, run: func(ctx context.Context, b *backend) string {
			count, err := b.keys.Count(ctx, b.root+key, kubernetes.CountOptions{})
			return fmt.Sprint(count, " ", errorKind(err))
		}}
	case 6:
		return operation{text: fmt.Sprintf("raw range from %s at %s, limit %d", key, text, limit), run: func(ctx context.Context, b *backend) string {
			return b.rawRange(ctx, key, at(b), int64(limit))
		}}
	}
	from := d.rawKey()
	return operation{text: fmt.Sprintf("raw list %s from %s at %s, limit %d", rawPath, from, text, limit), run: func(ctx context.Context, b *backend) string {
		response, err := b.keys.List(ctx, b.root+rawPath, kubernetes.ListOptions{Revision: at(b), Limit: int64(limit), Continue: b.root + from})
		if err != nil {
			return errorKind(err)
		}
		return fmt.Sprintf("at %s, count %d: %s", b.revision(response.Revision), response.Count, b.keyValues(response.Kvs))
	}}
}

// rawWrite puts or deletes a key, at a revision that may be wrong.
func (d *differential) rawWrite(key string) operation {
	text, at := d.rawVersion()
	if d.chance(70) {
		text, at = "its revision", func(b *backend) int64 { return b.rawRevision(key) }
	}
	value, found, isDeletion := pick(d, "", "one", "two"), d.chance(50), d.chance(30)
	return operation{
		text: fmt.Sprintf("raw write %s=%q if at %s, deletion=%v, get on failure=%v", key, value, text, isDeletion, found),
		run: func(ctx context.Context, b *backend) string {
			defer b.refresh(ctx)
			var succeeded bool
			var revision int64
			var kv *mvccpb.KeyValue
			if isDeletion {
				response, err := b.keys.OptimisticDelete(ctx, b.root+key, at(b), kubernetes.DeleteOptions{GetOnFailure: found})
				if err != nil {
					return errorKind(err)
				}
				succeeded, revision, kv = response.Succeeded, response.Revision, response.KV
			} else {
				response, err := b.keys.OptimisticPut(ctx, b.root+key, []byte(value), at(b), kubernetes.PutOptions{GetOnFailure: found})
				if err != nil {
					return errorKind(err)
				}
				succeeded, revision, kv = response.Succeeded, response.Revision, response.KV
			}
			b.refresh(ctx)
			return fmt.Sprintf("succeeded=%v at %s: %s", succeeded, b.revision(revision), b.keyValue(kv))
		},
	}
}

// rawRevision is the revision of a key; 0: it does not exist.
func (b *backend) rawRevision(key string) int64 {
	response, err := b.keys.Get(b.t.Context(), b.root+key, kubernetes.GetOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	return response.KV.GetModRevision()
}

// rawRange reads keys up to the end of those that begin with the same letters.
func (b *backend) rawRange(ctx context.Context, from string, revision, limit int64) string {
	response, err := b.kv.Get(ctx, b.root+from, clientv3.WithPrefix(), clientv3.WithRev(revision), clientv3.WithLimit(limit))
	if err != nil {
		return errorKind(err)
	}
	return fmt.Sprintf("at %s, count %d, more=%v: %s", b.revision(response.Header.GetRevision()), response.Count, response.More, b.keyValues(response.Kvs))
}

func (b *backend) keyValues(kvs []*mvccpb.KeyValue) string {
	var text []string
	for _, kv := range kvs {
		text = append(text, b.keyValue(kv))
	}
	return strings.Join(text, ", ")
}

// keyValue leaves out the version of the key and the lease, which no caller reads.
func (b *backend) keyValue(kv *mvccpb.KeyValue) string {
	if kv == nil {
		return "none"
	}
	return fmt.Sprintf("%s=%q created %s modified %s", strings.TrimPrefix(string(kv.Key), b.root), kv.Value, b.revision(kv.CreateRevision), b.revision(kv.ModRevision))
}
