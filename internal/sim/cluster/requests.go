package cluster

import (
	"context"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// RequestKey returns the key of a request.
func RequestKey(r containersv1.Request) Key {
	return Key{containersv1.Kind(r.RequestKind()), r.GetNamespace(), r.GetName()}
}

// CreateRequest creates a request as a user, and reports whether it was accepted.
func (c *Cluster) CreateRequest(r containersv1.Request) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := RequestKey(r)
	if !c.namespaces[key.Namespace] || c.objects[key] != nil {
		return false
	}
	c.add(r)
	return true
}

// DeleteRequest deletes a request as a user.
func (c *Cluster) DeleteRequest(key Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if obj := c.objects[key]; obj != nil {
		c.remove(obj)
	}
}

// Requests returns all requests, sorted by kind and name.
func (c *Cluster) Requests() []containersv1.Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []containersv1.Request
	for _, obj := range c.objects {
		if r, ok := obj.(containersv1.Request); ok {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b containersv1.Request) int {
		return strings.Compare(string(a.RequestKind())+a.GetName(), string(b.RequestKind())+b.GetName())
	})
	return out
}

// RequestsSince returns every state in which a request was at any moment since a time.
func (c *Cluster) RequestsSince(since time.Time) (found []containersv1.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, versions := range c.history {
		for i, v := range versions {
			past := i+1 < len(versions) && versions[i+1].At.Before(since)
			if r, ok := v.Object.(containersv1.Request); ok && !past {
				found = append(found, r)
			}
		}
	}
	return found
}

// RequestClient reads and writes requests.
type RequestClient struct{ *Client }

// Get reads a request.
func (c RequestClient) Get(ctx context.Context, obj client.Object) error {
	key := keyOf(obj)
	var found client.Object
	err := c.call(ctx, "get", key, func() error {
		if found = c.cluster.objects[key]; found == nil {
			return notFound(key)
		}
		return nil
	})
	if err == nil {
		testkit.Assign(obj, found)
	}
	return err
}

// UpdateStatus writes the status of a request.
func (c RequestClient) UpdateStatus(ctx context.Context, obj client.Object) error {
	given := obj.(containersv1.Request)
	var after client.Object
	err := c.call(ctx, "update status", keyOf(obj), func() error {
		old, err := c.stored(obj)
		if err != nil {
			return err
		}
		if after = old; given.SameStatus(old.(containersv1.Request)) {
			return nil
		}
		changed := given.CopyRequest()
		changed.SetGeneration(old.GetGeneration())
		c.cluster.put(changed)
		after = changed
		return nil
	})
	if err == nil {
		testkit.Assign(obj, after)
	}
	return err
}

// Delete deletes a request.
func (c RequestClient) Delete(ctx context.Context, obj client.Object) error {
	return c.call(ctx, "delete", keyOf(obj), func() error {
		old, err := c.stored(obj)
		if err != nil {
			return err
		}
		c.cluster.remove(old)
		return nil
	})
}
