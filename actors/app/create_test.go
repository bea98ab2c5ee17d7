package app

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engineconfig"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// creations records what is created.
type creations struct {
	Writer
	created []*appv1.App
}

func (c *creations) Create(_ context.Context, obj client.Object) error {
	c.created = append(c.created, obj.(*appv1.App).DeepCopy())
	return nil
}

// E5: a damaged datastore was moved away while the engine runs. The new App describes
// this engine, unchanged.
func TestNewAppKeepsRunningEngine(t *testing.T) {
	running := messages.VMSpec{
		Driver: appv1.DriverLima, Engine: appv1.EngineContainerd,
		VM: messages.VMProperties{
			CPUs: 3, Memory: 3 << 30, Disk: 9 << 30, Image: appv1.ImageCloud, Acceleration: "tcg", Mounts: "~/x:w,~:r", Restart: "r", Reset: "s",
		},
	}
	native := messages.VMSpec{Driver: appv1.DriverNative, Engine: appv1.EngineMoby, Subnet: "10.99.0.0/16"}
	unreadable := errors.New("permission denied")
	for _, tc := range []struct {
		name string
		// found is the engine that runs; empty for none.
		found  messages.VMSpec
		err    error
		probes int
		first  bool
		// want is the command for the VM actor; nil when no App is created yet.
		want *messages.EnsureVM
	}{
		{name: "no engine", first: true, want: &messages.EnsureVM{}},
		{name: "an engine", found: running, first: true, want: &messages.EnsureVM{Running: true, Spec: running}},
		{name: "a native engine with a subnet", found: native, first: true, want: &messages.EnsureVM{Running: true, Spec: native}},
		{name: "a probe failed", err: unreadable, first: true},
		{name: "the last probe failed", err: unreadable, probes: maxProbes, first: true, want: &messages.EnsureVM{}},
		{name: "the user has deleted the App", found: running, want: &messages.EnsureVM{}},
	} {
		kube := &creations{}
		a := &app{Config: Config{
			Kube: kube, Namespace: "here", Logger: slog.New(slog.DiscardHandler),
			Existing: func(context.Context) (messages.VMSpec, bool, error) {
				return tc.found, tc.found != messages.VMSpec{}, tc.err
			},
		}}
		created, err := a.create(t.Context(), tc.probes, tc.first)
		if tc.want == nil {
			if !errors.Is(err, tc.err) || len(kube.created) != 0 {
				t.Errorf("%s: %v, created %v", tc.name, err, kube.created)
			}
			continue
		}
		if err != nil || len(kube.created) != 1 || created.Spec.Namespace != "here" {
			t.Fatalf("%s: %v, created %+v", tc.name, err, created)
		}
		if got := desiredVM(view{app: created}); got != *tc.want {
			t.Errorf("%s: %+v, want %+v", tc.name, got, *tc.want)
		}
	}
}

// The VM actor compares the fields of a spec to decide whether it stops the engine.
func TestAdoptCopiesEveryField(t *testing.T) {
	var running messages.VMSpec
	fill(t, reflect.ValueOf(&running).Elem())
	running.Settings = `{"registryMirrors":["http://m"],"dns":["10.0.0.53"],"extraArgs":["--debug"],"config":{"mtu":1400}}`
	settings, err := engineconfig.Decode(running.Settings)
	if err != nil {
		t.Fatal(err)
	}
	running.Settings, running.VM.Mounts = settings.Encode(), "/work:w"
	created := &appv1.App{}
	if err := adopt(&created.Spec, running); err != nil {
		t.Fatal(err)
	}
	if got := desiredVM(view{app: created}).Spec; got != running {
		t.Errorf("the new App describes %+v, want %+v", got, running)
	}
}

// fill sets every field of a struct to a value that is not its zero value.
func fill(t *testing.T, v reflect.Value) {
	for i := range v.NumField() {
		switch field := v.Field(i); field.Kind() {
		case reflect.Struct:
			fill(t, field)
		case reflect.String:
			field.SetString(v.Type().Field(i).Name)
		case reflect.Int, reflect.Int32, reflect.Int64:
			field.SetInt(int64(i) + 1)
		default:
			t.Fatalf("the field %s has a kind that this test does not set", v.Type().Field(i).Name)
		}
	}
}
