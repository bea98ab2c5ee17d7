package registry_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// byRegistry and byHTTP are namespaces with the same changes, made in two ways.
const (
	byRegistry = "by-registry"
	byHTTP     = "by-http"
)

// step is one change of a mirror. It returns the mirror afterwards, or nil if the writer
// reports that it is gone.
type step struct {
	name string
	do   func(*testing.T, plane, writer, containersv1.Mirror) containersv1.Mirror
}

func createIt(t *testing.T, _ plane, w writer, obj containersv1.Mirror) containersv1.Mirror {
	return must(w.Create(t.Context(), obj))(t)
}

func changeIt(t *testing.T, _ plane, w writer, obj containersv1.Mirror) containersv1.Mirror {
	return must(w.UpdateStatus(t.Context(), changed(obj)))(t)
}

func completeIt(t *testing.T, _ plane, w writer, obj containersv1.Mirror) containersv1.Mirror {
	return must(w.CompleteAction(t.Context(), changed(obj)))(t)
}

func finalizeIt(t *testing.T, _ plane, w writer, obj containersv1.Mirror) containersv1.Mirror {
	return must(w.Claim(t.Context(), obj))(t)
}

// earlierIt makes a change that an earlier version of rdd could make, or a client when
// clients could still remove the finalizer. Now only the daemon can make it.
func earlierIt(patch string) func(*testing.T, plane, writer, containersv1.Mirror) containersv1.Mirror {
	return func(t *testing.T, p plane, _ writer, obj containersv1.Mirror) containersv1.Mirror {
		p.daemonPatches(t, obj, patch)
		return p.read(t, obj)
	}
}

func removeIt(t *testing.T, _ plane, w writer, obj containersv1.Mirror) containersv1.Mirror {
	return must(w.Remove(t.Context(), obj))(t)
}

func deleteIt(t *testing.T, p plane, _ writer, obj containersv1.Mirror) containersv1.Mirror {
	p.userDeletes(t, obj)
	return p.read(t, obj)
}

// patchIt returns a step with a user's patch.
func patchIt(patch string) func(*testing.T, plane, writer, containersv1.Mirror) containersv1.Mirror {
	return func(t *testing.T, p plane, _ writer, obj containersv1.Mirror) containersv1.Mirror {
		p.userPatches(t, obj, patch)
		return p.read(t, obj)
	}
}

const (
	actPatch   = `{"metadata":{"annotations":{"` + containersv1.ActionAnnotation + `":"restart"}}}`
	labelPatch = `{"metadata":{"labels":{"mine":"yes"},"annotations":{"note":"kept"}}}`
	holdPatch  = `{"metadata":{"finalizers":["` + foreign + `","` + containersv1.Finalizer + `"]}}`
)

// stories returns sequences of changes of a mirror.
func stories() map[string][]step {
	return map[string][]step{
		"create to remove": {
			{"create", createIt},
			{"change", changeIt},
			{"change nothing", changeIt},
			{"label", patchIt(labelPatch)},
			{"change back", func(t *testing.T, _ plane, w writer, obj containersv1.Mirror) containersv1.Mirror {
				obj.SetStatusFrom(sample(obj.MirrorKind(), obj.GetNamespace(), obj.GetName()))
				return must(w.UpdateStatus(t.Context(), obj))(t)
			}},
			{"remove", removeIt},
		},
		"an empty status": {
			{"create", func(t *testing.T, _ plane, w writer, obj containersv1.Mirror) containersv1.Mirror {
				obj.SetStatusFrom(containersv1.NewMirror(obj.MirrorKind()))
				return must(w.Create(t.Context(), obj))(t)
			}},
			{"change", changeIt},
			{"remove", removeIt},
		},
		"an action": {
			{"create", createIt},
			{"request", patchIt(actPatch)},
			{"complete", completeIt},
			{"annotate", patchIt(labelPatch)},
			{"request again", patchIt(actPatch)},
			{"complete beside another annotation", completeIt},
			{"remove", removeIt},
		},
		"a mirror without the finalizer": {
			{"create", createIt},
			{"strip", earlierIt(`{"metadata":{"finalizers":null}}`)},
			{"restore", finalizeIt},
			{"restore again", finalizeIt},
			{"strip once more", earlierIt(`{"metadata":{"finalizers":["` + foreign + `"]}}`)},
			{"restore beside another", finalizeIt},
		},
		"removed while held": {
			{"create", createIt},
			{"hold", patchIt(holdPatch)},
			{"remove", removeIt},
			{"remove again", removeIt},
		},
		"deleted by a user while held": {
			{"create", createIt},
			{"hold", patchIt(holdPatch)},
			{"delete", deleteIt},
			{"change", changeIt},
			{"remove", removeIt},
		},
	}
}

// TestEquivalence makes the same changes through the registry and over HTTP. After each
// step, clients must see the same.
func TestEquivalence(t *testing.T) {
	p := start(t)
	p.addNamespace(t, byRegistry)
	p.addNamespace(t, byHTTP)
	for name, steps := range stories() {
		t.Run(name, func(t *testing.T) {
			perKind(t, func(t *testing.T, kind containersv1.Kind) {
				if !kind.HasFinalizer() && name != "create to remove" && name != "an empty status" {
					t.Skip("mirrors of this kind have no finalizer")
				}
				compareSteps(t, p, kind, steps)
			})
		})
	}
}

func compareSteps(t *testing.T, p plane, kind containersv1.Kind, steps []step) {
	const name = "one"
	one, other := sample(kind, byRegistry, name), sample(kind, byHTTP, name)
	defer p.clear(t, kind, byRegistry, byHTTP)
	for _, step := range steps {
		one = step.do(t, p, p.mirrors, one)
		other = step.do(t, p, p.overHTTP, other)
		if (one == nil) != (other == nil) {
			t.Fatalf("after %q the registry returned %v and HTTP %v", step.name, one, other)
		}
		ours, theirs := p.snapshot(t, kind, byRegistry, name), p.snapshot(t, kind, byHTTP, name)
		if difference := cmp.Diff(theirs, ours); difference != "" {
			t.Fatalf("after %q a client sees (- over HTTP, + by the registry):\n%s", step.name, difference)
		}
		if one == nil {
			return
		}
		if difference := cmp.Diff(neutral(asUnstructured(one)), ours); difference != "" {
			t.Fatalf("after %q the registry returned another object (-) than a client sees (+):\n%s", step.name, difference)
		}
	}
}

// snapshot returns a mirror as a user sees it, without fields that differ between any
// two objects; nil if it is missing.
func (p plane) snapshot(t *testing.T, kind containersv1.Kind, namespace, name string) map[string]any {
	t.Helper()
	found, err := p.seen(kind, namespace).Get(t.Context(), name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return neutral(found)
}

// neutral removes fields that differ between any two objects.
func neutral(obj *unstructured.Unstructured) map[string]any {
	obj = obj.DeepCopy()
	metadata := obj.Object["metadata"].(map[string]any)
	managers := managersOf(obj)
	if obj.GetKind() == string(containersv1.KindContainerNamespace) {
		managers = nil // over HTTP, a create without fields of its own records no manager
	}
	for _, key := range []string{"uid", "resourceVersion", "creationTimestamp", "managedFields", "namespace"} {
		delete(metadata, key)
	}
	metadata["managers"] = managers
	if obj.GetDeletionTimestamp() != nil {
		metadata["deletionTimestamp"] = "set"
	}
	return obj.Object
}

// managersOf lists the fields of each manager, with the status as one field. It ignores
// the spec, because a create over HTTP makes the daemon the owner of the default of
// spec.state. It also ignores the list of finalizers and the map of labels, because only
// their elements count.
func managersOf(obj *unstructured.Unstructured) map[string]string {
	managers := map[string]string{}
	for _, entry := range obj.GetManagedFields() {
		set := fieldpath.NewSet()
		if err := set.FromJSON(bytes.NewReader(entry.FieldsV1.GetRawBytes())); err != nil {
			panic(fmt.Sprintf("managed fields of %s: %v", entry.Manager, err))
		}
		var paths []string
		for path := range set.Leaves().All() {
			p := path.String()
			if strings.HasPrefix(p, ".status") {
				p = ".status"
			}
			if !strings.HasPrefix(p, ".spec") && p != ".metadata.finalizers" && p != ".metadata.labels" {
				paths = append(paths, p)
			}
		}
		slices.Sort(paths)
		paths = slices.Compact(paths)
		if len(paths) > 0 {
			managers[fmt.Sprint(entry.Manager, " ", entry.Operation, " ", entry.APIVersion, " ", entry.Subresource)] = strings.Join(paths, "\n")
		}
	}
	return managers
}

// clear removes all mirrors of a kind, also those with finalizers.
func (p plane) clear(t *testing.T, kind containersv1.Kind, namespaces ...string) {
	t.Helper()
	for _, namespace := range namespaces {
		of := p.daemon.Resource(kind.GroupVersionResource()).Namespace(namespace)
		list, err := of.List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range list.Items {
			item := &list.Items[i]
			item.SetFinalizers(nil)
			if _, err := of.Update(t.Context(), item, metav1.UpdateOptions{}); err != nil {
				t.Fatal(err)
			}
			if err := of.Delete(t.Context(), item.GetName(), metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
				t.Fatal(err)
			}
		}
	}
}
