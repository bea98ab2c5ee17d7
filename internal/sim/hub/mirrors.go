package hub

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
)

func resourceOf(key cluster.Key) schema.GroupResource {
	return key.Kind.GroupVersionResource().GroupResource()
}

func conflict(resource schema.GroupResource, name string) error {
	return apierrors.NewConflict(resource, name, errors.New("simulated: the object has been modified"))
}

// serveObject serves a request for mirrors or requests. A status and each field of the
// metadata are writes of their own, which the laws distinguish by the verb.
func (h *Hub) serveObject(r request, key cluster.Key) (answer any, err error) {
	verb := r.verb
	if r.subresource != "" {
		verb += " " + r.subresource
	}
	if r.verb == watch {
		return h.newStream(r, key.Kind)
	}
	var change metadata
	if r.verb == create {
		key.Name = nameIn(r)
	}
	if r.verb == patch {
		if err := r.decode(&change); err != nil {
			return nil, err
		}
		verb += " " + change.field()
	}
	err = h.Serve(verb, key, r.begun, func(tx cluster.Tx) error {
		answer, err = h.change(tx, r, key, change)
		return err
	})
	if obj, ok := answer.(client.Object); ok && err == nil {
		answer = typed(obj)
	}
	return answer, err
}

// change has the effect of a request.
func (h *Hub) change(tx cluster.Tx, r request, key cluster.Key, change metadata) (any, error) {
	if r.verb == list {
		objects, revision := tx.List(key.Kind)
		return listOf(key.Kind, objects, revision), nil
	}
	if r.verb == create {
		return h.create(tx, r, key)
	}
	old := tx.Get(key)
	switch {
	case old == nil:
		return nil, apierrors.NewNotFound(resourceOf(key), key.Name)
	case r.verb == get:
		return old, nil
	case r.verb == patch:
		return patched(tx, key, old, change)
	case r.verb == destroy:
		return nil, deleted(tx, r, key, old)
	}
	return putStatus(tx, r, key, old)
}

// nameIn returns the name of the object in a body.
func nameIn(r request) string {
	var obj metav1.PartialObjectMetadata
	_ = r.decode(&obj)
	return obj.Name
}

// create stores a new mirror without its status.
func (h *Hub) create(tx cluster.Tx, r request, key cluster.Key) (any, error) {
	var refused error
	h.with(func() {
		if h.phase != active {
			refused = h.refusesCreates(resourceOf(key))
		}
	})
	if refused != nil {
		return nil, refused
	}
	obj := containersv1.NewMirror(key.Kind)
	if obj == nil {
		return nil, apierrors.NewBadRequest("simulated: rdd creates a request")
	}
	if err := r.decode(obj); err != nil {
		return nil, err
	}
	if tx.Get(key) != nil {
		return nil, apierrors.NewAlreadyExists(resourceOf(key), key.Name)
	}
	obj.SetStatusFrom(containersv1.NewMirror(key.Kind))
	obj.SetNamespace(Machine)
	cluster.ManageLabels(obj, func(string) bool { return true })
	tx.Add(obj)
	return obj, nil
}

// putStatus stores the status of a mirror or of a request.
func putStatus(tx cluster.Tx, r request, key cluster.Key, old client.Object) (any, error) {
	if m, ok := old.(containersv1.Mirror); ok {
		sent := containersv1.NewMirror(key.Kind)
		if err := r.decode(sent); err != nil {
			return nil, err
		}
		if sent.GetUID() != old.GetUID() || sent.GetResourceVersion() != old.GetResourceVersion() {
			return nil, conflict(resourceOf(key), key.Name)
		}
		now := m.CopyMirror()
		now.SetStatusFrom(sent)
		return stored(tx, old, now), nil
	}
	sent := containersv1.NewRequest(containersv1.RequestKind(key.Kind))
	if err := r.decode(sent); err != nil {
		return nil, err
	}
	if sent.GetUID() != old.GetUID() || sent.GetResourceVersion() != old.GetResourceVersion() {
		return nil, conflict(resourceOf(key), key.Name)
	}
	if sent.SameStatus(old.(containersv1.Request)) {
		return old, nil
	}
	sent.SetGeneration(old.GetGeneration())
	tx.Put(sent)
	return sent, nil
}

// stored stores an object unless nothing has changed.
func stored(tx cluster.Tx, old, now client.Object) client.Object {
	if equality.Semantic.DeepEqual(old, now) {
		return old
	}
	tx.Put(now)
	return now
}

// metadata is a merge patch of the metadata.
type metadata struct {
	Metadata struct {
		UID             types.UID          `json:"uid"`
		ResourceVersion string             `json:"resourceVersion"`
		Finalizers      *[]string          `json:"finalizers"`
		Labels          map[string]*string `json:"labels"`
		Annotations     map[string]*string `json:"annotations"`
	} `json:"metadata"`
}

// field returns the field that the patch changes.
func (m metadata) field() string {
	switch {
	case m.Metadata.Finalizers != nil:
		return "finalizers"
	case m.Metadata.Labels != nil:
		return "labels"
	default:
		return "annotations"
	}
}

func patched(tx cluster.Tx, key cluster.Key, old client.Object, change metadata) (any, error) {
	c := change.Metadata
	if c.UID != old.GetUID() || c.ResourceVersion != old.GetResourceVersion() {
		return nil, conflict(resourceOf(key), key.Name)
	}
	now := old.(containersv1.Mirror).CopyMirror()
	if c.Finalizers != nil {
		if old.GetDeletionTimestamp() != nil && len(*c.Finalizers) > len(old.GetFinalizers()) {
			return nil, apierrors.NewForbidden(resourceOf(key), key.Name, errors.New("simulated: it is being deleted"))
		}
		if now.SetFinalizers(slices.Clone(*c.Finalizers)); len(*c.Finalizers) == 0 && old.GetDeletionTimestamp() != nil {
			tx.Drop(now)
			return now, nil
		}
	}
	now.SetLabels(merged(old.GetLabels(), c.Labels))
	now.SetAnnotations(merged(old.GetAnnotations(), c.Annotations))
	cluster.ManageLabels(now, func(label string) bool { return c.Labels[label] != nil || cluster.OwnsLabel(old, label) })
	return stored(tx, old, now), nil
}

func merged(old map[string]string, changes map[string]*string) map[string]string {
	if changes == nil {
		return old
	}
	now := maps.Clone(old)
	if now == nil {
		now = map[string]string{}
	}
	for key, value := range changes {
		if delete(now, key); value != nil {
			now[key] = *value
		}
	}
	return now
}

func deleted(tx cluster.Tx, r request, key cluster.Key, old client.Object) error {
	var options metav1.DeleteOptions
	if err := r.decode(&options); err != nil {
		return err
	}
	if p := options.Preconditions; p != nil {
		if p.UID != nil && *p.UID != old.GetUID() || p.ResourceVersion != nil && *p.ResourceVersion != old.GetResourceVersion() {
			return conflict(resourceOf(key), key.Name)
		}
	}
	tx.Remove(old)
	return nil
}

// typed returns a copy of an object with its kind, as it is on the wire.
func typed(obj client.Object) client.Object {
	out := obj.DeepCopyObject().(client.Object)
	switch o := obj.(type) {
	case containersv1.Mirror:
		out.GetObjectKind().SetGroupVersionKind(o.MirrorKind().GroupVersionKind())
	case containersv1.Request:
		out.GetObjectKind().SetGroupVersionKind(o.RequestKind().GroupVersionKind())
	}
	return out
}

// listOf returns a list in the form that it has on the wire.
func listOf(kind containersv1.Kind, objects []client.Object, revision int64) any {
	out := struct {
		metav1.TypeMeta `json:",inline"`
		Metadata        metav1.ListMeta   `json:"metadata"`
		Items           []json.RawMessage `json:"items"`
	}{
		TypeMeta: metav1.TypeMeta{Kind: string(kind) + "List", APIVersion: containersv1.GroupVersion.String()},
		Metadata: metav1.ListMeta{ResourceVersion: strconv.FormatInt(revision, 10)}, Items: []json.RawMessage{},
	}
	for _, obj := range objects {
		out.Items = append(out.Items, encode(typed(obj)))
	}
	return out
}

func encode(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return raw
}
