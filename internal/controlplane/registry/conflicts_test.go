package registry_test

import (
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// The errors of invalid writes are the same as over HTTP.
func TestErrorsEqualThoseOverHTTP(t *testing.T) {
	p := start(t)
	p.addNamespace(t, byRegistry)
	p.addNamespace(t, byHTTP)
	perKind(t, func(t *testing.T, kind containersv1.Kind) {
		for _, test := range refusals() {
			if test.finalizer && !kind.HasFinalizer() {
				continue
			}
			t.Run(test.name, func(t *testing.T) {
				defer p.clear(t, kind, byRegistry, byHTTP)
				ours := test.try(t, p, p.mirrors, sample(kind, byRegistry, "one"))
				theirs := test.try(t, p, p.overHTTP, sample(kind, byHTTP, "one"))
				if ours == nil || apierrors.ReasonForError(ours) != test.want {
					t.Errorf("want %s, got %v", test.want, ours)
				}
				if apierrors.ReasonForError(ours) != apierrors.ReasonForError(theirs) {
					t.Errorf("the registry returns %q, and HTTP %q", ours, theirs)
				}
			})
		}
	})
}

type refusal struct {
	name      string
	want      metav1.StatusReason
	finalizer bool // only for kinds that have one
	try       func(*testing.T, plane, writer, containersv1.Mirror) error
}

func refusals() []refusal {
	return append(staleRefusals(), []refusal{
		{"create an existing mirror", metav1.StatusReasonAlreadyExists, false, func(t *testing.T, _ plane, w writer, obj containersv1.Mirror) error {
			must(w.Create(t.Context(), obj))(t)
			_, err := w.Create(t.Context(), obj)
			return err
		}},
		{"change a removed mirror", metav1.StatusReasonNotFound, false, func(t *testing.T, _ plane, w writer, obj containersv1.Mirror) error {
			made := must(w.Create(t.Context(), obj))(t)
			must(w.Remove(t.Context(), made))(t)
			_, err := w.UpdateStatus(t.Context(), changed(made))
			return err
		}},
		{"change a missing mirror", metav1.StatusReasonNotFound, false, func(t *testing.T, _ plane, w writer, obj containersv1.Mirror) error {
			obj.SetResourceVersion("1")
			_, err := w.UpdateStatus(t.Context(), obj)
			return err
		}},
		{"change a recreated mirror", metav1.StatusReasonConflict, false, func(t *testing.T, _ plane, w writer, obj containersv1.Mirror) error {
			made := must(w.Create(t.Context(), obj))(t)
			must(w.Remove(t.Context(), made))(t)
			made.SetResourceVersion(must(w.Create(t.Context(), obj))(t).GetResourceVersion())
			_, err := w.UpdateStatus(t.Context(), changed(made))
			return err
		}},
		{"claim a mirror that is being deleted", metav1.StatusReasonInvalid, true, func(t *testing.T, p plane, w writer, obj containersv1.Mirror) error {
			obj.SetFinalizers([]string{foreign})
			must(w.Create(t.Context(), obj))(t)
			p.daemonDeletes(t, obj)
			_, err := w.Claim(t.Context(), p.read(t, obj))
			return err
		}},
		{"create with an invalid name", metav1.StatusReasonInvalid, false, func(t *testing.T, _ plane, w writer, obj containersv1.Mirror) error {
			obj.SetName("a/b")
			_, err := w.Create(t.Context(), obj)
			return err
		}},
	}...)
}

// staleRefusals returns writes of a mirror that a user has changed meanwhile.
func staleRefusals() []refusal {
	stale := func(name string, finalizer bool, write func(*testing.T, writer, containersv1.Mirror) error) refusal {
		return refusal{name, metav1.StatusReasonConflict, finalizer, func(t *testing.T, p plane, w writer, obj containersv1.Mirror) error {
			made := must(w.Create(t.Context(), obj))(t)
			p.userPatches(t, obj, labelPatch)
			return write(t, w, made)
		}}
	}
	return []refusal{
		stale("change a stale mirror", false, func(t *testing.T, w writer, obj containersv1.Mirror) error {
			_, err := w.UpdateStatus(t.Context(), changed(obj))
			return err
		}),
		stale("claim a stale mirror", true, func(t *testing.T, w writer, obj containersv1.Mirror) error {
			_, err := w.Claim(t.Context(), obj)
			return err
		}),
		stale("remove a stale mirror", true, func(t *testing.T, w writer, obj containersv1.Mirror) error {
			_, err := w.Remove(t.Context(), obj)
			return err
		}),
	}
}

// Remove fails, and changes nothing, if the mirror is not the one that was read.
func TestRemovePreconditions(t *testing.T) {
	p := start(t)
	perKind(t, func(t *testing.T, kind containersv1.Kind) {
		made := p.create(t, sample(kind, home, "one"))
		tests := map[string]struct {
			modify func(containersv1.Mirror)
			check  func(error) bool
		}{
			"another UID":      {func(m containersv1.Mirror) { m.SetUID(types.UID("another")) }, apierrors.IsConflict},
			"another revision": {func(m containersv1.Mirror) { m.SetResourceVersion("1") }, apierrors.IsConflict},
			"another name":     {func(m containersv1.Mirror) { m.SetName("two") }, apierrors.IsNotFound},
		}
		for name, test := range tests {
			wrong := made.CopyMirror()
			test.modify(wrong)
			if _, err := p.mirrors.Remove(t.Context(), wrong); !test.check(err) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if now := p.read(t, made); now.GetResourceVersion() != made.GetResourceVersion() {
			t.Error("the mirror was changed")
		}
	})
}

// A user adds a finalizer after the daemon has read the mirror.
func TestRemoveOfHeldMirrorConflicts(t *testing.T) {
	p := start(t)
	perKind(t, func(t *testing.T, kind containersv1.Kind) {
		made := p.create(t, sample(kind, home, "one"))
		p.userPatches(t, made, holdPatch)
		if _, err := p.mirrors.Remove(t.Context(), made); !apierrors.IsConflict(err) {
			t.Errorf("Remove of a held mirror: %v, want a conflict", err)
		}
		if now := p.look(t, made); now.GetDeletionTimestamp() != nil || len(now.GetFinalizers()) != 2 {
			t.Errorf("the mirror is %v", now)
		}
	})
}

// A create fails in a namespace that is missing or being deleted.
func TestCreateRequiresNamespace(t *testing.T) {
	p := start(t)
	p.addNamespace(t, "terminating")
	held := sample(containersv1.KindVolume, "terminating", "held")
	held.SetFinalizers([]string{foreign})
	p.create(t, held)
	if err := p.namespaces().Delete(t.Context(), "terminating", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	perKind(t, func(t *testing.T, kind containersv1.Kind) {
		for namespace, check := range map[string]func(error) bool{
			"missing": apierrors.IsNotFound,
			"terminating": func(err error) bool {
				return apierrors.IsForbidden(err) && apierrors.HasStatusCause(err, "NamespaceTerminating")
			},
		} {
			obj := sample(kind, namespace, "one")
			_, ours := p.mirrors.Create(t.Context(), obj)
			_, theirs := p.overHTTP.Create(t.Context(), obj)
			if !check(ours) {
				t.Errorf("in the %s namespace: %v", namespace, ours)
			}
			if ours == nil || theirs == nil || ours.Error() != theirs.Error() {
				t.Errorf("the registry returns %q, and HTTP %q", ours, theirs)
			}
			if _, err := p.mirrors.Get(t.Context(), kind, namespace, "one"); !apierrors.IsNotFound(err) {
				t.Errorf("it exists, or: %v", err)
			}
		}
	})
	p.clear(t, containersv1.KindVolume, "terminating")
}
