package cluster

import (
	"maps"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// Tx is a request to the server at the moment of its effect. The objects that it returns
// must not be changed, and those that it gets belong to the server.
type Tx struct{ c *Cluster }

// Serve serves one request of a daemon. The witness observes what it wrote.
func (c *Cluster) Serve(verb string, key Key, begun time.Time, effect func(Tx) error) error {
	c.mu.Lock()
	before, revision := c.objects[key], c.revision
	err := effect(Tx{c})
	after, written := c.objects[key], c.revision > revision
	c.mu.Unlock()
	if written && c.witness != nil {
		c.witness(Write{Verb: verb, Key: key, Begun: begun, Before: before, After: after})
	}
	return err
}

// Get returns an object, or nil.
func (t Tx) Get(key Key) client.Object { return t.c.objects[key] }

// List returns the objects of a kind, sorted by name, and the revision.
func (t Tx) List(kind containersv1.Kind) ([]client.Object, int64) {
	of := map[Key]client.Object{}
	for key, obj := range t.c.objects {
		if key.Kind == kind {
			of[key] = obj
		}
	}
	var out []client.Object
	for _, key := range sorted(of) {
		out = append(out, of[key])
	}
	return out, t.c.revision
}

// Add stores a new object with the metadata that a server gives it.
func (t Tx) Add(obj client.Object) { t.c.add(obj) }

// Put stores a changed object.
func (t Tx) Put(obj client.Object) { t.c.put(obj) }

// Remove begins or completes a deletion.
func (t Tx) Remove(obj client.Object) { t.c.remove(obj) }

// Drop removes an object, whatever finalizers it has.
func (t Tx) Drop(obj client.Object) { t.c.drop(obj) }

// Change is one change of one object, for a watch.
type Change struct {
	Revision int64
	// Object after the change, or its last state if it was removed.
	Object    client.Object
	IsRemoved bool
}

// Next returns the next change of a kind after a revision. If there is none, it returns nil
// and channels that are closed by a change and by a break of the watches.
func (c *Cluster) Next(kind containersv1.Kind, revision int64) (found *Change, changed, breaks <-chan struct{}) {
	p := part{Client: &Client{cluster: c}, kind: kind, revision: revision}
	next, changed, breaks := p.next()
	if next == nil {
		return nil, changed, breaks
	}
	return &Change{Revision: next.revision, Object: next.object, IsRemoved: next.removed}, nil, nil
}

// Snapshot is the content of a server at one moment.
type Snapshot map[Key]client.Object

// Snapshot returns the present content.
func (c *Cluster) Snapshot() Snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.objects)
}

// Restore returns to an earlier content. The UIDs and generations are those of that time.
func (c *Cluster) Restore(earlier Snapshot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range sorted(c.objects) {
		if now := c.objects[key]; earlier[key] == nil || earlier[key].GetUID() != now.GetUID() {
			c.drop(now)
		}
	}
	for _, key := range sorted(earlier) {
		if now := c.objects[key]; now == nil || now.GetResourceVersion() != earlier[key].GetResourceVersion() {
			c.put(copied(earlier[key]))
		}
	}
}

// Clear removes all mirrors and requests, whatever finalizers they have.
func (c *Cluster) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range sorted(c.objects) {
		c.drop(c.objects[key])
	}
}

// DeleteAll begins to delete all mirrors and requests, as the deletion of their namespace
// does. It returns the mirrors as they were before.
func (c *Cluster) DeleteAll() (deleted []containersv1.Mirror) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range sorted(c.objects) {
		obj := c.objects[key]
		if m, ok := obj.(containersv1.Mirror); ok {
			deleted = append(deleted, m)
		}
		c.remove(obj)
	}
	return deleted
}

// Count returns the number of objects.
func (c *Cluster) Count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.objects)
}

// SetNamespace creates or removes a namespace.
func (c *Cluster) SetNamespace(name string, exists bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.namespaces[name] = exists
}
