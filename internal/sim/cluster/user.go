package cluster

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// ChangeApp changes the spec of the App, if there is one, as a patch does.
func (c *Cluster) ChangeApp(change func(*appv1.AppSpec)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old, ok := c.objects[Key{Kind: appKind, Name: appv1.AppName}].(*appv1.App)
	if !ok {
		return
	}
	app := copied(old)
	change(&app.Spec)
	if equality.Semantic.DeepEqual(app.Spec, old.Spec) {
		return
	}
	app.Generation++
	c.put(app)
}

// DeleteApp deletes the App.
func (c *Cluster) DeleteApp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if app := c.objects[Key{Kind: appKind, Name: appv1.AppName}]; app != nil {
		c.remove(app)
	}
}

// SetDesiredState sets the spec.state of a container's mirror, and reports whether that
// changed it.
func (c *Cluster) SetDesiredState(key Key, state containersv1.DesiredState) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	old, ok := c.objects[key].(*containersv1.Container)
	if !ok || old.Spec.State == state {
		return false
	}
	obj := copied(old)
	obj.Spec.State = state
	obj.Generation++
	if c.tracksManagers {
		userChanged(obj, `{"f:spec":{"f:state":{}}}`)
	}
	c.put(obj)
	return true
}

// Delete deletes a mirror, and reports whether that was accepted: one without
// rdd's finalizer is protected. The caller must not delete a ContainerNamespace, which
// a policy of the real server protects.
func (c *Cluster) Delete(key Key) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	obj := c.objects[key]
	if obj == nil || obj.GetDeletionTimestamp() == nil && !slices.Contains(obj.GetFinalizers(), containersv1.Finalizer) {
		return false
	}
	c.remove(obj)
	return true
}

// Vanish removes a mirror at once, whatever finalizers it has. A real server does so with the
// resources of a namespace that an administrator removes by force, and a datastore that
// returns from a copy lacks them.
func (c *Cluster) Vanish(key Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if obj := c.objects[key]; obj != nil {
		c.drop(obj)
	}
}

// Disown makes a mirror what an earlier version of rdd left: without managed
// fields, and without the finalizer when a client had removed it.
func (c *Cluster) Disown(key Key, stripped bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.objects[key]
	if old == nil || old.GetDeletionTimestamp() != nil {
		return
	}
	obj := copied(old)
	obj.SetManagedFields(nil)
	if stripped {
		obj.SetFinalizers(others(obj))
	}
	c.put(obj)
}

// Touch changes metadata that rdd does not use, so that a write of an older copy is a
// conflict.
func (c *Cluster) Touch(key Key, note string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.objects[key]; old != nil {
		obj := copied(old)
		annotate(obj, "example.com/note", note)
		c.put(obj)
	}
}

// Label sets labels of a mirror, as a user does. An empty value removes one.
func (c *Cluster) Label(key Key, labels map[string]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.objects[key]
	if old == nil {
		return
	}
	obj := copied(old)
	all := obj.GetLabels()
	if all == nil {
		all = map[string]string{}
	}
	for label, value := range labels {
		all[label] = value
		if value == "" {
			delete(all, label)
		}
	}
	obj.SetLabels(all)
	if c.tracksManagers {
		ManageLabels(obj.(containersv1.Mirror), func(label string) bool {
			_, isChanged := labels[label]
			return OwnsLabel(old, label) && !isChanged
		})
	}
	c.put(obj)
}

// RequestAction sets the annotation that requests an action on a container, and reports
// whether that was accepted: a container that is being deleted takes none.
func (c *Cluster) RequestAction(key Key, action containersv1.Action) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	old, ok := c.objects[key].(*containersv1.Container)
	if !ok || old.DeletionTimestamp != nil {
		return false
	}
	obj := copied(old)
	annotate(obj, containersv1.ActionAnnotation, string(action))
	c.put(obj)
	return true
}

// annotate sets an annotation of an object, which belongs to the caller.
func annotate(obj client.Object, name, value string) {
	annotations := maps.Clone(obj.GetAnnotations())
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[name] = value
	obj.SetAnnotations(annotations)
}

// Forge changes the status of a mirror, as another version of rdd would have
// written it.
func (c *Cluster) Forge(key Key, change func(containersv1.Mirror)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.objects[key].(containersv1.Mirror); ok {
		obj := copied(old)
		change(obj)
		c.put(obj)
	}
}

// SetFinalizer adds a finalizer to a mirror, or removes it. A mirror that is deleted
// gets none.
func (c *Cluster) SetFinalizer(key Key, finalizer string, held bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	obj := c.objects[key]
	if obj == nil || held && obj.GetDeletionTimestamp() != nil {
		return
	}
	left := slices.DeleteFunc(slices.Clone(obj.GetFinalizers()), func(f string) bool { return f == finalizer })
	if held {
		left = append(left, finalizer)
	}
	c.setFinalizers(obj, left)
}
