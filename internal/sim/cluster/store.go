package cluster

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// appKind is the kind of the App in a Key.
const appKind containersv1.Kind = "App"

// Key names an object.
type Key struct {
	Kind      containersv1.Kind
	Namespace string
	Name      string
}

// Version is one state of an object in the history.
type Version struct {
	At time.Time
	// Object is nil from a removal on.
	Object client.Object
	// revision of the change.
	revision int64
}

// Cluster is the server's state. It is safe for concurrent use. The objects that it
// returns are never changed.
type Cluster struct {
	mu       sync.Mutex
	revision int64
	uids     int
	// uidPrefix begins each UID, because two servers never give the same one.
	uidPrefix  string
	objects    map[Key]client.Object
	namespaces map[string]bool
	// changes of each kind, oldest first.
	changes map[containersv1.Kind][]change
	history map[Key][]Version
	// changed is closed at the next change of a kind.
	changed map[containersv1.Kind]chan struct{}
	// breaks is closed when all watches break.
	breaks chan struct{}
	// witness observes each write of a daemon; it may be nil.
	witness func(Write)
	// tracksManagers is set if the managed fields show what users have changed.
	tracksManagers bool
}

// Write is a write of a daemon that had an effect.
type Write struct {
	Verb string
	Key  Key
	// Begun is when the daemon made the call.
	Begun time.Time
	// Before and After are the stored object; nil when there is none.
	Before, After client.Object
}

// Witness sets a function that is called with every later write of a daemon, at the
// moment of its effect.
func (c *Cluster) Witness(witness func(Write)) { c.witness = witness }

// change is one change of one object.
type change struct {
	key      Key
	revision int64
	// object after the change, or its last state when it was removed.
	object  client.Object
	removed bool
}

// New returns an empty server.
func New() *Cluster { return newCluster("uid-") }

// NewHub returns an empty server with other UIDs than those of New. It records in the managed
// fields what users have changed.
func NewHub() *Cluster {
	c := newCluster("hub-")
	c.tracksManagers = true
	return c
}

func newCluster(uidPrefix string) *Cluster {
	c := &Cluster{
		uidPrefix: uidPrefix, objects: map[Key]client.Object{}, namespaces: map[string]bool{"default": true},
		changes: map[containersv1.Kind][]change{}, history: map[Key][]Version{},
		changed: map[containersv1.Kind]chan struct{}{}, breaks: make(chan struct{}),
	}
	for _, kind := range kinds() {
		c.changed[kind] = make(chan struct{})
	}
	return c
}

func kinds() []containersv1.Kind {
	kinds := append(containersv1.Kinds(), appKind)
	for _, kind := range containersv1.RequestKinds() {
		kinds = append(kinds, containersv1.Kind(kind))
	}
	return kinds
}

// keyOf returns the key of an App, a mirror or a request.
func keyOf(obj client.Object) Key {
	switch o := obj.(type) {
	case containersv1.Mirror:
		return Key{o.MirrorKind(), o.GetNamespace(), o.GetName()}
	case containersv1.Request:
		return RequestKey(o)
	}
	return Key{Kind: appKind, Name: obj.GetName()}
}

func copied[T client.Object](obj T) T { return obj.DeepCopyObject().(T) }

// put stores obj, which the caller must not change any more.
func (c *Cluster) put(obj client.Object) {
	c.revision++
	obj.SetResourceVersion(strconv.FormatInt(c.revision, 10))
	key := keyOf(obj)
	c.objects[key] = obj
	c.note(change{key: key, revision: c.revision, object: obj})
}

// drop removes an object.
func (c *Cluster) drop(obj client.Object) {
	c.revision++
	last := copied(obj)
	last.SetResourceVersion(strconv.FormatInt(c.revision, 10))
	key := keyOf(obj)
	delete(c.objects, key)
	c.note(change{key: key, revision: c.revision, object: last, removed: true})
}

func (c *Cluster) note(ch change) {
	c.changes[ch.key.Kind] = append(c.changes[ch.key.Kind], ch)
	v := Version{At: time.Now(), Object: ch.object, revision: ch.revision}
	if ch.removed {
		v.Object = nil
	}
	c.history[ch.key] = append(c.history[ch.key], v)
	close(c.changed[ch.key.Kind])
	c.changed[ch.key.Kind] = make(chan struct{})
}

// add stores a new object with the metadata that a server gives it.
func (c *Cluster) add(obj client.Object) {
	c.uids++
	obj.SetUID(types.UID(fmt.Sprintf("%s%06d", c.uidPrefix, c.uids)))
	obj.SetGeneration(1)
	obj.SetCreationTimestamp(metav1.NewTime(time.Now().Truncate(time.Second)))
	c.put(obj)
}

// remove begins or completes a deletion, as the server does: an object with finalizers
// is only marked.
func (c *Cluster) remove(obj client.Object) {
	if len(obj.GetFinalizers()) == 0 {
		c.drop(obj)
		return
	}
	if obj.GetDeletionTimestamp() != nil {
		return
	}
	marked := copied(obj)
	now := metav1.NewTime(time.Now().Truncate(time.Second))
	marked.SetDeletionTimestamp(&now)
	marked.SetGeneration(obj.GetGeneration() + 1)
	c.put(marked)
}

// setFinalizers stores obj with these finalizers, or drops it when it was
// deleted and none is left.
func (c *Cluster) setFinalizers(obj client.Object, finalizers []string) client.Object {
	if slices.Equal(obj.GetFinalizers(), finalizers) {
		return obj
	}
	changed := copied(obj)
	changed.SetFinalizers(finalizers)
	if len(finalizers) == 0 && obj.GetDeletionTimestamp() != nil {
		c.drop(changed)
		return changed
	}
	c.put(changed)
	return changed
}

// App returns the App, or nil.
func (c *Cluster) App() *appv1.App {
	c.mu.Lock()
	defer c.mu.Unlock()
	app, _ := c.objects[Key{Kind: appKind, Name: appv1.AppName}].(*appv1.App)
	return app
}

// Mirrors returns all mirrors, sorted by kind and name.
func (c *Cluster) Mirrors() []containersv1.Mirror {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []containersv1.Mirror
	for _, obj := range c.objects {
		if m, ok := obj.(containersv1.Mirror); ok {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b containersv1.Mirror) int {
		return strings.Compare(path(a), path(b))
	})
	return out
}

func path(m containersv1.Mirror) string { return string(m.MirrorKind()) + "/" + m.GetName() }

// History returns every state that an object has had, oldest first.
func (c *Cluster) History(key Key) []Version {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.history[key])
}

// Since returns every state in which a mirror of a kind was at any moment since a time.
func (c *Cluster) Since(kind containersv1.Kind, since time.Time) (found []containersv1.Mirror) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, versions := range c.history {
		if key.Kind != kind {
			continue
		}
		for i, v := range versions {
			past := i+1 < len(versions) && versions[i+1].At.Before(since)
			if m, ok := v.Object.(containersv1.Mirror); ok && !past {
				found = append(found, m)
			}
		}
	}
	return found
}

// WasEver reports whether a mirror was in a state that matches at any moment since a
// time.
func (c *Cluster) WasEver(key Key, since time.Time, matches func(containersv1.Mirror) bool) bool {
	versions := c.History(key)
	for i, v := range versions {
		past := i+1 < len(versions) && versions[i+1].At.Before(since)
		if m, ok := v.Object.(containersv1.Mirror); ok && !past && matches(m) {
			return true
		}
	}
	return false
}

// WasRemoved reports whether a mirror was removed since a time.
func (c *Cluster) WasRemoved(key Key, since time.Time) bool {
	for _, v := range c.History(key) {
		if v.Object == nil && !v.At.Before(since) {
			return true
		}
	}
	return false
}

// Revision returns the number of writes so far.
func (c *Cluster) Revision() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.revision
}

// BreakWatches ends every watch. Their clients watch again.
func (c *Cluster) BreakWatches() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.breaks)
	c.breaks = make(chan struct{})
}

// WasDisconnected reports whether the engine was not connected by the condition of the
// App at any moment since a time.
func (c *Cluster) WasDisconnected(since time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	versions := c.history[Key{Kind: appKind, Name: appv1.AppName}]
	for i, v := range versions {
		if i+1 < len(versions) && versions[i+1].At.Before(since) {
			continue
		}
		app, ok := v.Object.(*appv1.App)
		if !ok || !meta.IsStatusConditionTrue(app.Status.Conditions, appv1.ConditionEngineReady) {
			return true
		}
	}
	return false
}
