package registry_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// applyClientSide works as kubectl apply without --server-side: it patches, and stores
// the manifest in an annotation.
func (p plane) applyClientSide(t *testing.T, obj containersv1.Mirror, manifest string) {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal([]byte(manifest), &fields); err != nil {
		t.Fatal(err)
	}
	fields["metadata"] = map[string]any{"annotations": map[string]any{"kubectl.kubernetes.io/last-applied-configuration": manifest}}
	patch, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.seen(obj.MirrorKind(), home).Patch(t.Context(), obj.GetName(), types.MergePatchType, patch,
		metav1.PatchOptions{FieldManager: "kubectl-client-side-apply"})
	if err != nil {
		t.Fatal(err)
	}
}

// migrate works as kubectl apply --server-side does before its own request: it becomes
// the owner of the fields of client-side apply.
func (p plane) migrate(t *testing.T, obj *unstructured.Unstructured) {
	t.Helper()
	patch, err := csaupgrade.UpgradeManagedFieldsPatch(obj, sets.New("kubectl-client-side-apply", "before-first-apply"), "kubectl")
	if err != nil || patch == nil {
		t.Fatalf("nothing to migrate: %s, %v", patch, err)
	}
	_, err = p.seen(containersv1.KindContainer, home).Patch(t.Context(), obj.GetName(), types.JSONPatchType, patch, metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

// F4: client-side apply is followed by server-side apply, also on a mirror that
// an earlier version of rdd left without managed fields.
func TestApplyMigrationKeepsFinalizer(t *testing.T) {
	p := start(t)
	for name, earlier := range map[string]bool{"one": false, "two": true} {
		t.Run(name, func(t *testing.T) {
			made := p.create(t, sample(containersv1.KindContainer, home, "one"))
			if earlier {
				p.daemonPatches(t, made, `{"metadata":{"managedFields":[{}]}}`)
			}
			p.applyClientSide(t, made, `{"spec":{"state":"running"}}`)
			if containersv1.HasOwnManager(p.read(t, made)) == earlier {
				t.Fatalf("managed fields: %v", p.read(t, made).GetManagedFields())
			}
			desired := map[string]any{"spec": map[string]any{"state": "running"}}
			if earlier { // the server makes "before-first-apply" the owner of all fields
				if _, err := p.apply(t, "kubectl", false, desired); err != nil {
					t.Fatal(err)
				}
				must(p.mirrors.Claim(t.Context(), p.read(t, made)))(t) // as the mirror does at the next sync
			}
			p.migrate(t, p.look(t, made))
			applied, err := p.apply(t, "kubectl", false, desired)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(applied.GetFinalizers(), []string{containersv1.Finalizer}) || state(t, applied) != "running" {
				t.Errorf("applied is %v", applied)
			}
			if !p.read(t, made).SameStatus(made) {
				t.Error("the status changed")
			}
			p.clear(t, containersv1.KindContainer, home)
		})
	}
}

// A write without a change is not stored, and changes no time.
func TestManagedFieldsAreStable(t *testing.T) {
	p := start(t)
	perKind(t, func(t *testing.T, kind containersv1.Kind) {
		made := p.create(t, sample(kind, home, "one"))
		if !containersv1.HasOwnManager(made) {
			t.Fatalf("managed fields of a new mirror: %v", made.GetManagedFields())
		}
		second := time.Now().Truncate(time.Second) // the unit of the times in managed fields
		testkit.EventuallyTrue(t, deadline, "the next second", func() bool { return time.Now().After(second.Add(time.Second)) })
		for _, write := range []func() (containersv1.Mirror, error){
			func() (containersv1.Mirror, error) { return p.mirrors.UpdateStatus(t.Context(), made) },
			func() (containersv1.Mirror, error) { return p.mirrors.Claim(t.Context(), made) },
		} {
			if again := must(write())(t); again.GetResourceVersion() != made.GetResourceVersion() {
				t.Errorf("a write that changes nothing was stored: %v", again.GetManagedFields())
			}
		}
		next := changed(made)
		if made.MirrorConditions() != nil {
			next = made.CopyMirror() // with the same labels
			*next.MirrorConditions() = nil
		}
		written := must(p.mirrors.UpdateStatus(t.Context(), next))(t)
		for i, entry := range written.GetManagedFields() {
			isLater := entry.Time.After(made.GetManagedFields()[i].Time.Time)
			if isStatus := entry.Subresource == containersv1.StatusSubresource; isLater != isStatus {
				t.Errorf("after a new status the time of %q moved: %t", entry.Subresource, isLater)
			}
		}
	})
}

// F4: only rdd removes the finalizer. A mirror without it cannot be deleted until it is
// restored, because its object would stay in the engine.
func TestDeleteWithoutFinalizerRefused(t *testing.T) {
	p := start(t)
	perKind(t, func(t *testing.T, kind containersv1.Kind) {
		if !kind.HasFinalizer() {
			t.Skip("mirrors of this kind have no finalizer, and no client deletes them")
		}
		made := p.create(t, sample(kind, home, "one"))
		p.daemonPatches(t, made, `{"metadata":{"finalizers":["`+foreign+`"]}}`)
		seen := p.seen(kind, home)
		for _, err := range []error{
			seen.Delete(t.Context(), "one", metav1.DeleteOptions{}),
			seen.DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}),
		} {
			if !apierrors.IsForbidden(err) {
				t.Errorf("deleting a mirror without the finalizer: %v", err)
			}
		}
		must(p.mirrors.Claim(t.Context(), p.read(t, made)))(t)
		p.userDeletes(t, made)
		left := must(p.mirrors.Remove(t.Context(), p.read(t, made)))(t)
		if left.GetDeletionTimestamp() == nil {
			t.Fatal("the deletion was lost")
		}
		p.userDeletes(t, made) // again, while another finalizer holds it
	})
}
