package registry_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// state returns spec.state as a client sees it.
func state(t *testing.T, obj *unstructured.Unstructured) string {
	t.Helper()
	result, _, err := unstructured.NestedString(obj.Object, "spec", "state")
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// Row T8. A user changes the spec between the daemon's read and its write of the status.
func TestStatusWriteKeepsSpec(t *testing.T) {
	p := start(t)
	made := p.create(t, sample(containersv1.KindContainer, home, "one"))
	patched := p.userPatches(t, made, `{"spec":{"state":"running"}}`)
	if patched.GetGeneration() != 2 {
		t.Errorf("the patched mirror has generation %d, want 2", patched.GetGeneration())
	}
	if _, err := p.mirrors.UpdateStatus(t.Context(), changed(made)); !apierrors.IsConflict(err) {
		t.Fatalf("a write of an outdated mirror: %v, want a conflict", err)
	}
	// Only the status is written, and no other field of the object.
	fresh := p.read(t, made)
	write := changed(fresh).(*containersv1.Container)
	write.Spec.State = containersv1.StateCreated
	write.Labels = map[string]string{"not": "mine"}
	write.Generation = 77
	written := must(p.mirrors.UpdateStatus(t.Context(), write))(t).(*containersv1.Container)
	if written.Spec.State != containersv1.StateRunning || written.Generation != 2 || len(written.Labels) != 0 {
		t.Errorf("the stored mirror is %+v", written)
	}
	found := p.look(t, made)
	if state(t, found) != "running" || found.GetGeneration() != 2 || !written.SameStatus(changed(made)) {
		t.Errorf("a client sees %v", found)
	}
}

// Row T8. Users and the daemon write the same mirror as fast as they can. No acknowledged write
// may be lost.
func TestManyWritesAtOnce(t *testing.T) {
	const users, rounds = 4, 25
	p := start(t)
	made := p.create(t, sample(containersv1.KindContainer, home, "one"))
	ctx := bounded(t)
	var group sync.WaitGroup
	for user := range users {
		group.Go(func() {
			for round := range rounds {
				patch := fmt.Sprintf(`{"metadata":{"labels":{"user-%d":"%d"}},"spec":{"state":%q}}`, user, round, []string{"running", "created"}[round%2])
				_, err := p.seen(containersv1.KindContainer, home).Patch(ctx, "one", types.MergePatchType, []byte(patch), metav1.PatchOptions{})
				if err != nil {
					t.Errorf("user %d: %v", user, err)
					return
				}
			}
		})
	}
	group.Go(func() {
		for round := range users * rounds {
			if err := countUp(ctx, p, round); err != nil {
				t.Errorf("the daemon: %v", err)
				return
			}
		}
	})
	group.Wait()
	container := p.read(t, made).(*containersv1.Container)
	for user := range users {
		if last := container.Labels["user-"+strconv.Itoa(user)]; last != strconv.Itoa(rounds-1) {
			t.Errorf("the last label of user %d is %q", user, last)
		}
	}
	if container.Status.PID != users*rounds-1 || container.Generation < 2 {
		t.Errorf("the mirror is finally %+v", container)
	}
}

// countUp writes the next PID, and retries conflicts.
func countUp(ctx context.Context, p plane, round int) error {
	for {
		obj, err := p.mirrors.Get(ctx, containersv1.KindContainer, home, "one")
		if err != nil {
			return err
		}
		container := obj.(*containersv1.Container)
		if round > 0 && container.Status.PID != int64(round-1) {
			return fmt.Errorf("in round %d the status is of round %d", round, container.Status.PID)
		}
		container.Status.PID = int64(round)
		if _, err = p.mirrors.UpdateStatus(ctx, container); !apierrors.IsConflict(err) {
			return err
		}
	}
}

// apply makes a server-side apply as a user.
func (p plane) apply(t *testing.T, manager string, force bool, fields map[string]any) (*unstructured.Unstructured, error) {
	t.Helper()
	obj := &unstructured.Unstructured{Object: fields}
	obj.SetGroupVersionKind(containersv1.KindContainer.GroupVersionKind())
	return p.seen(containersv1.KindContainer, home).Apply(t.Context(), "one", obj, metav1.ApplyOptions{FieldManager: manager, Force: force})
}

// A client's server-side apply needs no force and removes no field of rdd, and the
// daemon's writes keep the client's fields.
func TestServerSideApply(t *testing.T) {
	p := start(t)
	made := p.create(t, sample(containersv1.KindContainer, home, "one"))
	desired := func(state string) map[string]any {
		return map[string]any{"metadata": map[string]any{"labels": map[string]any{"mine": state}}, "spec": map[string]any{"state": state}}
	}
	applied, err := p.apply(t, "me", false, desired("running"))
	if err != nil {
		t.Fatal("F4: a fresh mirror needs force: ", err)
	}
	if state(t, applied) != "running" || applied.GetGeneration() != 2 {
		t.Errorf("applied is %v", applied)
	}
	must(p.mirrors.UpdateStatus(t.Context(), changed(p.read(t, made))))(t)
	found := p.look(t, made)
	if mine := "me Apply containers.rancherdesktop.io/v1alpha1 "; managersOf(found)[mine] != managersOf(applied)[mine] {
		t.Errorf("the managers were\n%v\nand are\n%v", managersOf(applied), managersOf(found))
	}
	if state(t, found) != "running" || found.GetLabels()["mine"] != "running" {
		t.Errorf("after a write of the status the mirror is %v", found)
	}
	if applied, err = p.apply(t, "me", false, desired("created")); err != nil {
		t.Fatal(err)
	}
	if !p.read(t, made).SameStatus(changed(made)) || state(t, applied) != "created" {
		t.Errorf("after the second apply the mirror is %v", applied)
	}
	// Another manager's field requires force.
	if _, err := p.apply(t, "other", false, desired("running")); !apierrors.IsConflict(err) {
		t.Errorf("another client owns a field without force: %v", err)
	}
	// A field that is no longer applied gets its default.
	if applied, err = p.apply(t, "me", false, map[string]any{}); err != nil {
		t.Fatal(err)
	}
	if state(t, applied) != "unknown" || applied.GetLabels()["mine"] != "" {
		t.Errorf("after an empty apply the mirror is %v", applied)
	}
	if _, err := p.mirrors.Remove(t.Context(), p.read(t, made)); err != nil {
		t.Error(err)
	}
}

// Writes of the status and the finalizer keep the metadata of users.
func TestMetadataSurvives(t *testing.T) {
	p := start(t)
	perKind(t, func(t *testing.T, kind containersv1.Kind) {
		made := p.create(t, sample(kind, home, "one"))
		finalizers := []string{foreign}
		if kind.HasFinalizer() {
			finalizers = append(finalizers, containersv1.Finalizer)
		}
		patch := `{"metadata":{"labels":{"mine":"yes"},"annotations":{"note":"kept"},"finalizers":["` + strings.Join(finalizers, `","`) + `"],
			"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"x","uid":"y","controller":true}]}}`
		before := p.userPatches(t, made, patch)
		p.daemonPatches(t, made, `{"metadata":{"finalizers":["`+foreign+`"]}}`)
		must(p.mirrors.UpdateStatus(t.Context(), changed(p.read(t, made))))(t)
		must(p.mirrors.Claim(t.Context(), p.read(t, made)))(t)
		after := p.look(t, made)
		if !slices.Equal(after.GetFinalizers(), finalizers) {
			t.Errorf("the finalizers are %v", after.GetFinalizers())
		}
		for _, obj := range []*unstructured.Unstructured{before, after} {
			obj.SetLabels(map[string]string{"mine": obj.GetLabels()["mine"]}) // the others are those of the engine's object
			obj.SetFinalizers(nil)
			obj.SetResourceVersion("")
			obj.SetManagedFields(slices.DeleteFunc(obj.GetManagedFields(), containersv1.IsOwnManager))
		}
		if fmt.Sprint(before.Object["metadata"]) != fmt.Sprint(after.Object["metadata"]) {
			t.Errorf("the metadata was\n%v\nand is\n%v", before.Object["metadata"], after.Object["metadata"])
		}
		p.clear(t, kind, home)
	})
}
