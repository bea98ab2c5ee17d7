package install_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/install"
)

func applyVersion(c client.Client, version string, isForced bool) error {
	return install.Apply(context.Background(), c, func(string) {}, install.WithVersion(version), install.WithDowngrade(isForced))
}

func TestOlderVersionIsRefused(t *testing.T) {
	c := connect(t)
	t.Cleanup(func() { // the other tests have no version
		if err := applyVersion(c, "", true); err != nil {
			t.Error(err)
		}
	})
	if err := applyVersion(c, "v1.5.0", false); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ own, want string }{
		{"v1.4.9", "this hub was installed by rdd v1.5.0, and this rdd is v1.4.9,"},
		{"v1.5.0-rc.1", "this rdd is v1.5.0-rc.1,"},
		{"(devel)", "installed by rdd v1.5.0, and this rdd has no version"},
		{"", "use rdd v1.5.0 or later"},
	} {
		err := applyVersion(c, test.own, false)
		downgrade, ok := errors.AsType[*install.DowngradeError](err)
		if !ok || downgrade.Hub != "v1.5.0" || downgrade.Own != test.own || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.own, err)
		}
		err = install.CheckVersion(t.Context(), c, test.own)
		if _, ok := errors.AsType[*install.DowngradeError](err); !ok {
			t.Errorf("%s: CheckVersion = %v", test.own, err)
		}
	}
	if got := versions(t, c); got != "v1.5.0" {
		t.Errorf("after a refusal, the objects are from %s", got)
	}
	for _, version := range []string{"v1.5.0", "v1.5.0+dirty", "v1.5.1-0.20260101000000-0123456789ab"} {
		if err := install.CheckVersion(t.Context(), c, version); err != nil {
			t.Errorf("%s: %v", version, err)
		}
		if err := applyVersion(c, version, false); err != nil {
			t.Errorf("%s: %v", version, err)
		}
	}
	if err := applyVersion(c, "v1.4.9", true); err != nil {
		t.Error(err)
	}
	if got := versions(t, c); got != "v1.4.9" {
		t.Errorf("after a forced downgrade, the objects are from %s", got)
	}
	if err := applyVersion(c, "v1.4.9", false); err != nil {
		t.Errorf("after a forced downgrade: %v", err)
	}
}

// An interrupted update has written some of the objects.
func TestInterruptedUpdateIsNotUndone(t *testing.T) {
	c := connect(t)
	t.Cleanup(func() {
		if err := applyVersion(c, "", true); err != nil {
			t.Error(err)
		}
	})
	if err := applyVersion(c, "v1.5.0", false); err != nil {
		t.Fatal(err)
	}
	flow := &flowcontrolv1.FlowSchema{}
	flow.Name = install.FlowNames()[0]
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"annotations":{"`+hubv1.VersionAnnotation+`":"v1.6.0"}}}`))
	if err := c.Patch(t.Context(), flow, patch, client.FieldOwner(install.FieldManager)); err != nil {
		t.Fatal(err)
	}
	err := applyVersion(c, "v1.5.0", false)
	if downgrade, ok := errors.AsType[*install.DowngradeError](err); !ok || downgrade.Hub != "v1.6.0" {
		t.Error(err)
	}
}

// versions returns the versions of all objects of the hub.
func versions(t *testing.T, c client.Client) string {
	t.Helper()
	objects, err := install.Objects("")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, object := range objects {
		got := object.DeepCopy()
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(object), got); err != nil {
			t.Fatal(err)
		}
		all = append(all, got.GetAnnotations()[hubv1.VersionAnnotation])
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), " ")
}
